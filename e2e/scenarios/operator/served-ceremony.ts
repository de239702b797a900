/**
 * Many contributions without anybody looking on, by the commands that people use: the coordinator, and each honest contributor,
 * in a process of its own. Among them one falls silent and one sends rubbish, and the coordinator is killed once in the middle
 * of an upload. Then the beacon.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { CeremonyClient } from "@openledger/prover/ceremony/ceremony-client";
import { checkTranscript } from "@openledger/prover/ceremony/check-transcript";
import { REHEARSAL } from "@openledger/prover/keys/ceremony";
import { drillError } from "../../world/drill-errors.ts";
import { localUrl } from "../../world/machine.ts";
import { ManagedProcess } from "../../world/process.ts";
import { BEACON } from "./rehearsed-keys.ts";

/** People who wait and contribute at a time. */
const CROWD = 4;
/** Above what a busy machine may keep a contributor from the processor. */
const SILENT_SECONDS = 15;

interface ServedCeremony {
  /** Where the coordinator keeps it, and what people said. */
  readonly folder: string;
  readonly circuitName: string;
  readonly ptauPath: string;
  /** To make. */
  readonly keyFolder: string;
  readonly contributions: number;
}

/** @throws DRL_UNEXPECTED where a contribution is lost, or rubbish or silence is not dealt with */
export async function servedCeremony(served: ServedCeremony, tell: (text: string) => void): Promise<void> {
  const { circuitName, contributions, folder, keyFolder, ptauPath } = served;
  const url = await localUrl();
  const own = ["--folder", join(folder, "ceremony"), "--ptau", ptauPath];
  const coordinator = new ManagedProcess({
    name: "coordinator",
    args: ceremonyArgs([
      ...["serve", ...own, "--circuit", circuitName, "--contributions", String(contributions)],
      ...["--port", new URL(url).port, "--silent-seconds", String(SILENT_SECONDS)],
      ...["--max-per-address", "50", "--joins-per-minute", "1000"],
    ]),
    logPath: join(folder, "coordinator.log"),
    isReady: async () => (await fetch(`${url}/v1/ceremony`)).ok,
  });
  await rm(join(folder, "ceremony"), { recursive: true, force: true });
  tell(`${circuitName}: a coordinator serves the ceremony for ${contributions} people, each a process`);
  try {
    await coordinator.start();
    const client = new CeremonyClient(url);
    const receipts: string[] = [];
    let [begun, refused, silent] = [0, 0, 0];
    let restarted: Promise<void> | null = null;
    const honest = async () => {
      while (begun < contributions) {
        const number = ++begun;
        const dies = number === Math.ceil((2 * contributions) / 3);
        const args = ["join", "--url", url, "--name", `${REHEARSAL}: person ${number}`, "--json"];
        const { contribution, hash } = await runCeremony<{ contribution: number; hash: string }>(
          args,
          (said) => {
            if (!dies || restarted !== null || !said.includes("upload")) return;
            tell("the coordinator is killed in the middle of a contribution");
            restarted = coordinator.kill().then(() => coordinator.start());
          },
        );
        receipts.push(hash);
        tell(`contribution ${contribution} by person ${number}`);
      }
    };
    const rubbish = async () => {
      const ticket = await client.join("sends rubbish");
      await untilTurn(client, ticket);
      const { roundBytes } = await client.info();
      await client.sendPiece(ticket, 0, new Uint8Array(roundBytes).fill(3));
      await client.submit(ticket).catch((error: unknown) => {
        if (!isRollupError(error, "PRV_CONTRIBUTION_INVALID")) throw error;
        refused++;
        tell("rubbish is refused");
      });
    };
    const fallSilent = async () => {
      const ticket = await client.join("falls silent");
      await untilTurn(client, ticket);
      await client.sendPiece(ticket, 0, new Uint8Array(10));
      tell("a contributor falls silent in the own turn");
      await sleep(1_500 * SILENT_SECONDS);
      if ((await client.stateOf(ticket)).state === "lost") silent++;
    };
    // A kill loses what waits in memory: the two who misbehave come first.
    await Promise.all([fallSilent(), rubbish()]);
    await Promise.all(Array.from({ length: CROWD }, honest));
    await restarted;
    const [info, entries] = [await client.info(), await client.transcript()];
    checkTranscript(info, entries, () => {});
    const known = new Set(entries.map(({ hash }) => hash));
    const lost = receipts.filter((hash) => !known.has(hash)).length;
    if (lost > 0 || refused !== 1 || silent !== 1 || restarted === null || entries.length !== contributions)
      throw drillError(
        "DRL_UNEXPECTED",
        `of ${entries.length} contributions ${lost} are lost; refused ${refused}, silent ${silent}`,
      );
    await coordinator.stop();
    tell(`${circuitName}: the beacon, and the whole key from the circuit on`);
    const { beaconHex } = BEACON;
    await runCeremony(["finish", ...own, "--beacon", beaconHex, "--out", keyFolder, "--json"], () => {});
  } finally {
    await coordinator.kill();
  }
}

const ceremonyArgs = (args: readonly string[]) => ["--import", "tsx", "scripts/ceremony.ts", ...args];

/** @throws DRL_UNEXPECTED with what it said, where it ends with another status than 0 */
async function runCeremony<Answer>(args: readonly string[], onSaid: (text: string) => void): Promise<Answer> {
  const child: ChildProcess = spawn(process.execPath, ceremonyArgs(args), {
    cwd: repositoryRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (part) => {
    stdout += part;
  });
  child.stderr!.on("data", (part) => {
    stderr += part;
    onSaid(String(part));
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  process.off("exit", kill);
  if (status === 0) return JSON.parse(stdout);
  throw drillError("DRL_UNEXPECTED", `ceremony ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
}

async function untilTurn(client: CeremonyClient, ticket: string): Promise<void> {
  while ((await client.stateOf(ticket)).state !== "turn") await sleep(100);
}
