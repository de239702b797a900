/**
 * Tells whether PostgreSQL stores a text unchanged. The Datanet host checks its requests by it, the queue its jobs' results.
 */
import { isWellFormed } from "../utf8.ts";

/** True for text that PostgreSQL stores as it is: it refuses a NUL, and would replace half of a surrogate pair in silence. */
export const isStorableText = (text: string): boolean => !text.includes("\0") && isWellFormed(text);
