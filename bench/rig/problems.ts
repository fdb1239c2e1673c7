// Why a benchmark cannot run here.

/** Something that the measurement needs is missing. The message says how to get it, in one line. */
export class CannotMeasure extends Error {}
