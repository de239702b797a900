/** SQL statements that a connection prepares: for those that come with each request, whose text is always the same. */
import { createHash } from "node:crypto";

/** SQL that the server parses once for each connection, and as a rule plans once. */
export interface Statement {
  /** Its name at the server: the same text has the same one in every process. */
  readonly name: string;
  readonly text: string;
}

/**
 * A statement to prepare. Each connection keeps it: not for texts that users' values are part of. Its plan may be older than
 * the table's size, so it has to be one that suits a table of any size, as a look into an index.
 */
export const statement = (text: string): Statement => ({
  name: createHash("sha256").update(text).digest("hex").slice(0, 32),
  text,
});
