import { EMPTY } from 'rxjs';

const waited = await Promise.resolve(EMPTY);
export const topology = () => waited;
export default () => waited;
