interface Member {
  readonly memberId: string;
  readonly instance?: string;
}

/** As many as may be lost at once without the group forgetting; more would cost its record bytes with the square of its members. */
const REMEMBERERS = 3;

/** Who is told all transactional ids of the group: its leader, and others of as many instances as there are. */
export function rememberersOf(members: readonly Member[], leaderId: string): ReadonlySet<string> {
  const ordered = [...members].sort((a, b) => rank(a) - rank(b) || (a.memberId < b.memberId ? -1 : 1));
  const chosen: Member[] = [];
  const isAnother = ({ instance }: Member): boolean => instance === undefined || chosen.every((each) => each.instance !== instance);
  for (const member of ordered) if (chosen.length < REMEMBERERS && isAnother(member)) chosen.push(member);
  for (const member of ordered) if (chosen.length < REMEMBERERS && !chosen.includes(member)) chosen.push(member);
  return new Set(chosen.map(({ memberId }) => memberId));

  function rank({ memberId }: Member): number {
    return memberId === leaderId ? 0 : 1;
  }
}
