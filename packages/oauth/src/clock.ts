/** Tells the time: seconds since the epoch, possibly with a fraction. Every piece that judges time takes one. */
export type Clock = () => number;
