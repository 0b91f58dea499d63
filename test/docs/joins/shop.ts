// shop.ts
import { nullable, string, topic } from 'millrace';

const texts = { key: string, value: string };
export const clicks = topic('clicks', texts); // customer: page
export const orders = topic('orders', texts); // customer: product
export const profiles = topic('profiles', texts); // customer: name
export const addresses = topic('addresses', texts); // customer: street
export const sales = topic('sales', texts); // product: customer
export const prices = topic('prices', texts); // product: price
export const products = topic('products', texts); // product: what it is
export const offers = topic('offers', texts); // offer: product
export const results = topic('results', { key: string, value: nullable(string) });
