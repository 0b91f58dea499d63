import { reportComparison } from '../../examples/comparison';

function streams() {
  const written = { out: '', err: '' };
  return {
    written,
    out: { write: (text: string) => (written.out += text) },
    err: { write: (text: string) => (written.err += text) },
  };
}

describe('reportComparison', () => {
  it('gives 0 when there is no difference', () => {
    const { written, ...both } = streams();
    expect(reportComparison([], both)).toBe(0);
    expect(written).toEqual({ out: 'checked: a plain loop over the same input gives the same\n', err: '' });
  });

  it('gives 1 and shows the first ten differences', () => {
    const { written, ...both } = streams();
    const differences = Array.from({ length: 12 }, (_, i) => `difference ${i}`);
    expect(reportComparison(differences, both)).toBe(1);
    expect(written.out).toBe('');
    expect(written.err).toMatch(/^WRONG: 12 differences/);
    expect(written.err).toMatch(/ {2}difference 9\n {2}and 2 more\n$/);
  });
});
