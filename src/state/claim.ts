import { MillraceError } from '../errors/millrace-error';

/** Who works on a store: one subscription of one operator at a time. */
export class Claim {
  private holder: { readonly token: object; readonly operator: string } | undefined;

  constructor(private readonly store: string) {}

  /** @throws STORE_IN_USE Gives what releases the store. */
  take(token: object, operator: string): () => void {
    const { holder, store } = this;
    if (holder !== undefined) {
      const where = { store, operator };
      if (holder.token === token) {
        throw new MillraceError(
          'STORE_IN_USE',
          `${operator} over store "${store}" is subscribed a second time while the first subscription lives, which would count every record twice; ` +
            'put share() behind it',
          { where },
        );
      }
      throw new MillraceError(
        'STORE_IN_USE',
        `store "${store}" is used by two operators, ${holder.operator} and ${operator}; declare a store for each`,
        { where },
      );
    }
    const mine = { token, operator };
    this.holder = mine;
    return () => {
      if (this.holder === mine) this.holder = undefined;
    };
  }
}
