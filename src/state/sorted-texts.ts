/** A chunk is split in two when it grows beyond this: an insertion moves at most so many references. */
const MAX_CHUNK = 512;

/** A set of texts in the order of their UTF-16 units: chunks of sorted texts, so that an insertion costs little even among millions. */
export class SortedTexts {
  private readonly chunks: string[][] = [];

  /** `text` must not be in the set. */
  add(text: string): void {
    const at = this.chunkOf(text);
    const chunk = this.chunks[at];
    if (chunk === undefined) {
      this.chunks.push([text]);
      return;
    }
    chunk.splice(lowerBound(chunk, text), 0, text);
    if (chunk.length > MAX_CHUNK) this.chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1));
  }

  /** `text` must be in the set. */
  delete(text: string): void {
    const at = this.chunkOf(text);
    const chunk = this.chunks[at];
    if (chunk === undefined) return;
    chunk.splice(lowerBound(chunk, text), 1);
    if (chunk.length === 0) this.chunks.splice(at, 1);
  }

  /** All in [from, to), ascending. The set must not change meanwhile. */
  *between(from: string, to: string): Generator<string, void> {
    for (let at = this.chunkOf(from); at < this.chunks.length; at++) {
      const chunk = this.chunks[at]!;
      for (let i = lowerBound(chunk, from); i < chunk.length; i++) {
        const text = chunk[i]!;
        if (text >= to) return;
        yield text;
      }
    }
  }

  /** The last chunk that begins at or before `text`; the first one if none does. */
  private chunkOf(text: string): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.chunks[middle]![0]! <= text) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

function lowerBound(texts: readonly string[], text: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (texts[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
