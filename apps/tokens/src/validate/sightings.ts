/** Which texts have been noted of late: a few bits each, and now and then one too many. */
export interface Sightings {
  has(text: string): boolean;
  /** Notes a text, and says whether it was noted before. */
  note(text: string): boolean;
}

/** Bits for each text that may be noted: at sixteen, about one in ten looks noted that was not. */
const bitsEach = 16;
/** How much of a text's end is looked at: of a signature, 72 bits that nobody can choose. */
const endLength = 12;

/**
 * Makes one that knows at least the last `count` texts. A text that is asked for again stays known. It holds none of them, and
 * makes no garbage.
 */
export function createSightings(count: number): Sightings {
  const bits = 2 ** Math.ceil(Math.log2(count * bitsEach));
  const empty = (): Uint8Array => new Uint8Array(bits / 8);
  let recent = empty();
  let before = empty();
  let noted = 0;

  const placeOf = (text: string): number => {
    let place = 0;
    for (let index = Math.max(0, text.length - endLength); index < text.length; index++)
      place = Math.imul(place, 0x01000193) ^ text.charCodeAt(index);
    return (place ^ (place >>> 15)) & (bits - 1);
  };
  const isSet = (all: Uint8Array, place: number): boolean =>
    ((all[place >>> 3] ?? 0) & (1 << (place & 7))) !== 0;
  const set = (place: number): void => {
    if (noted === count) {
      [recent, before] = [before.fill(0), recent];
      noted = 0;
    }
    noted++;
    recent[place >>> 3] = (recent[place >>> 3] ?? 0) | (1 << (place & 7));
  };
  return {
    has(text) {
      const place = placeOf(text);
      if (isSet(recent, place)) return true;
      const known = isSet(before, place);
      if (known) set(place);
      return known;
    },
    note(text) {
      const place = placeOf(text);
      if (isSet(recent, place)) return true;
      const known = isSet(before, place);
      set(place);
      return known;
    },
  };
}
