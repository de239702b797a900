import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

/**
 * Takes a file for this process, so that no two of them work at the same time. A process that is gone, killed too, holds
 * nothing.
 *
 * @param refuse makes the error where another process has it
 * @returns gives it back
 */
export function takeFileLock(path: string, refuse: (processId: number) => Error): () => void {
  for (let tries = 0; ; tries++) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries > 0) throw error;
      const holder = Number(readFileSync(path, "utf8"));
      if (Number.isInteger(holder) && holder > 0 && holder !== process.pid && isAlive(holder))
        throw refuse(holder);
      rmSync(path, { force: true });
    }
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
