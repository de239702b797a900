/** Text of a number with its noun, singular or plural, for lines of commands and messages. */

/** A number with what it counts: "1 row", "1024 rows". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
