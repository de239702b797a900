/** Lines of a log that no case expects. */
import { afterAll, afterEach, expect } from "vitest";

/**
 * Sink of a test's logger for lines that should not come: the case in whose time one came fails, or the file. A test that
 * throws as a line is written throws into the product, which goes on without it, or ends for no other reason. Call it at the top of a file.
 */
export function unexpectedLines(): { write(line: string): void } {
  const lines: string[] = [];
  const expectNone = () => expect(lines.splice(0)).toEqual([]);
  afterEach(expectNone);
  // Hooks of the end run in the opposite order: this one after servers are closed.
  afterAll(expectNone);
  return { write: (line) => void lines.push(line) };
}
