/** L1 clients that are npm packages. They are installed at first use, since they are far larger than the rest of the tests. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { drillError } from "../drill-errors.ts";
import { ManagedProcess, type ProcessSpec } from "../process.ts";
import type { BlockClock } from "./block-clock.ts";
import type { L1Node, L1NodeOptions } from "./l1-node.ts";

interface ClientPackage {
  readonly name: string;
  readonly version: string;
  /** Date for npm's `--before`: dependencies are taken as they were on this day. */
  readonly before: string;
}

/**
 * Scripts of packages are not run.
 * @returns the folder that has node_modules
 * @throws DRL_PROCESS_ENDED with npm's words
 */
export async function installed(
  { before, name, version }: ClientPackage,
  { tell }: Pick<L1NodeOptions, "tell">,
): Promise<string> {
  const folder = join(
    repositoryRoot,
    ".cache",
    "l1-clients",
    `${name.replace("@", "").replace("/", "-")}-${version}`,
  );
  if (existsSync(folder)) return folder;
  tell?.(`npm installs ${name} ${version} (once, then cached)`);
  const part = `${folder}.${process.pid}.part`;
  mkdirSync(part, { recursive: true });
  try {
    writeFileSync(
      join(part, "package.json"),
      JSON.stringify({ private: true, dependencies: { [name]: version } }),
    );
    const npm = new ManagedProcess({
      name: "npm",
      command: "npm",
      workingDir: part,
      logPath: join(part, "npm.log"),
      args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", `--before=${before}`],
    });
    npm.launch();
    if ((await npm.ending)?.status !== 0) throw npm.endedByItself ?? drillError("DRL_UNEXPECTED", "no npm");
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** Answers of a JSON-RPC server. @throws DRL_UNEXPECTED with its error */
export const rpcOf =
  (url: string) =>
  async <Answer = unknown>(method: string, ...params: readonly unknown[]): Promise<Answer> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal: AbortSignal.timeout(60_000),
    });
    const { error, result } = (await response.json()) as { error?: { message: string }; result: Answer };
    if (error !== undefined) throw drillError("DRL_UNEXPECTED", `${method}: ${error.message}`);
    return result;
  };

/** Starts it and waits until it answers at `url`. @throws DRL_NOT_READY */
export async function startClient(
  url: string,
  { folder, tell }: L1NodeOptions,
  spec: Pick<ProcessSpec, "args" | "env" | "name" | "workingDir">,
): Promise<ManagedProcess> {
  const isReady = async () => (await rpcOf(url)("eth_chainId")) === "0x7a69";
  const node = new ManagedProcess({ ...spec, isReady, tell, logPath: join(folder, "logs", "l1.log") });
  await node.start();
  return node;
}

/** A node whose blocks the clock makes: it has made them from the start. */
export function clockedNode(
  url: string,
  node: ManagedProcess,
  clock: BlockClock,
  reorganise: L1Node["reorganise"],
): L1Node {
  return {
    url,
    reorganise,
    begin: async () => {},
    mine: (blocks) => clock.mine(blocks),
    get failure() {
      return clock.failure ?? node.endedByItself;
    },
    async stop() {
      await clock.stop();
      await node.kill();
    },
  };
}
