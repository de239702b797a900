// Loaded before a process whose crash a test wants at one line of its log (DIE_AT_LINE is a part of that line).
// A test that reads the line and kills comes some milliseconds late, and on a busy machine a whole step.
// Of several processes with one DIE_ONCE, a file that is not there yet, the first one dies alone.
import { closeSync, openSync } from "node:fs";

const line = process.env.DIE_AT_LINE;
const once = process.env.DIE_ONCE;

const isFirst = (): boolean => {
  if (once === undefined) return true;
  try {
    closeSync(openSync(once, "wx"));
    return true;
  } catch {
    return false;
  }
};

if (line !== undefined) {
  const write = process.stderr.write.bind(process.stderr);
  // A pipe is written to at once on POSIX systems: the line is out before its process is gone.
  process.stderr.write = ((text: string, ...more: never[]) => {
    const isTaken = write(text, ...more);
    if (String(text).includes(line) && isFirst()) process.kill(process.pid, "SIGKILL");
    return isTaken;
  }) as typeof process.stderr.write;
}
