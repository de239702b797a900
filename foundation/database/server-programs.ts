/** Programs of a PostgreSQL server, and the user that runs them; local-server.ts and the tests' own servers call them. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Directory of programs `initdb`, `pg_ctl` and `postgres`, and of the user that runs them. */
export interface Programs {
  readonly folder: string;
  /** User of the server where this process is root, which PostgreSQL refuses. */
  readonly user: ServerUser | null;
}

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** User `postgres` where the machine has it, else the one that owns nothing. */
export async function unprivilegedUser(): Promise<ServerUser> {
  const users = (await readFile("/etc/passwd", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(":"));
  const found = users.find(([name]) => name === "postgres");
  return found === undefined
    ? { uid: 65_534, gid: 65_534 }
    : { uid: Number(found[2]), gid: Number(found[3]) };
}

export async function canRun(folder: string, user: ServerUser): Promise<boolean> {
  return runProgram({ folder, user }, "initdb", ["--version"]).then(
    () => true,
    () => false,
  );
}

/** @throws Error with its output */
export const runProgram = ({ folder, user }: Programs, name: string, args: readonly string[]) =>
  run(join(folder, name), args, user);

/** Runs a program to its end, with nothing of this process's language or library path. @throws Error with its output */
export async function run(program: string, args: readonly string[], user: ServerUser | null): Promise<void> {
  const child = spawn(program, args, {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    ...(user === null ? {} : user),
  });
  const parts: Buffer[] = [];
  child.stderr.on("data", (part: Buffer) => parts.push(part));
  // Not "close": the server inherits the pipe, and has it as long as it runs.
  const code = await new Promise<number | null>((settle, reject) => {
    child.on("error", reject);
    child.on("exit", settle);
  });
  child.stderr.destroy();
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(parts).toString().trim()}`);
}
