/**
 * `npm run ceremony -- rehearse`: a whole trusted setup in minutes, from powers of tau to a rollup that posts a batch proven with
 * its keys, on a local chain that takes no development keys, and `openledger verify` from L1 alone.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { type CommandRunner, commandRunner } from "../../world/commands.ts";
import type { Traffic } from "../../world/traffic.ts";
import { waitUntil } from "../../world/wait-until.ts";
import { withFolder } from "../scenario.ts";
import { OperatedMachine } from "./operated-machine.ts";
import {
  DRILL_SETTINGS,
  ended,
  PATIENCE_MS,
  setOptions,
  startTraffic,
  unexpected,
  untilFinal,
  writeConfig,
} from "./operator-steps.ts";
import { CIRCUITS, rehearsedKeys } from "./rehearsed-keys.ts";
import { servedCeremony } from "./served-ceremony.ts";

/** In nobody's list of chains. */
const CHAIN_ID = 20_261_126;
const SEPOLIA_ID = 11_155_111;
const DEFAULT_CONTRIBUTIONS = 2;
/** Of one batch at least: what it says of itself beside deposits. */
const LEAST_TRANSFERS = 1;
const SILENCE_SECONDS = 5;

interface Rehearsal {
  readonly minutes: number;
  /** To the smallest circuit; the others have two. */
  readonly contributions: number;
  readonly circuits: readonly string[];
  readonly largestPower: number;
  readonly batches: number;
  readonly verified: boolean;
}

/**
 * @param options.keep folder for logs, data and keys, kept afterwards
 * @throws DRL_… where something does not happen that should
 */
export async function rehearse(
  { contributions = DEFAULT_CONTRIBUTIONS, keep = null }: { contributions?: number; keep?: string | null },
  say: (text: string) => void,
): Promise<Rehearsal> {
  const startedAtMs = performance.now();
  let [said, saidAtMs] = ["", startedAtMs];
  const tell = (text: string) => {
    say(text);
    [said, saidAtMs] = [text, performance.now()];
  };
  // Nobody waits long without a word, whatever takes long.
  const silence = setInterval(() => {
    const seconds = Math.round((performance.now() - saidAtMs) / 1_000);
    if (seconds % SILENCE_SECONDS === 0 && seconds > 0) say(`${said}: ${seconds} s`);
  }, 1_000);
  return withFolder(keep, "rehearsal", async (folder) => {
    const { keys, largestPower } = await rehearsedKeys(folder, tell, (ceremony) =>
      servedCeremony({ ...ceremony, folder, contributions }, tell),
    );
    const { batches, verified } = await useKeys(folder, keys, tell);
    const minutes = Math.round((performance.now() - startedAtMs) / 6_000) / 10;
    return { minutes, contributions, circuits: CIRCUITS, largestPower, batches, verified };
  }).finally(() => clearInterval(silence));
}

/** @throws DRL_UNEXPECTED where it would deploy them */
async function refuseOnPublicChain(folder: string, keys: object, commands: CommandRunner): Promise<void> {
  const tried = join(folder, "public-chain");
  mkdirSync(tried, { recursive: true });
  // No node answers there: keys are checked before anything is asked of one.
  const configPath = writeConfig(tried, { rpcUrl: "http://127.0.0.1:9", chainId: SEPOLIA_ID }, keys);
  const code = await commands.refusal("deploy", "--config", configPath, "--dry-run");
  if (code !== "CMD_DEPLOY_REFUSED") throw unexpected(`deploy says ${code} of a rehearsal's keys`);
}

async function useKeys(folder: string, keys: { folder: string }, tell: (text: string) => void) {
  const commands = commandRunner(folder);
  // Of a rehearsal before, on a chain that is gone.
  for (const name of ["deployment", "installation", "data"])
    rmSync(join(folder, name), { recursive: true, force: true });
  await refuseOnPublicChain(folder, keys, commands);
  tell("deploy refuses these keys on a public chain");
  const machine = await OperatedMachine.create(folder, commands);
  const anvil = await startAnvil({ chainId: CHAIN_ID, blockTimeSeconds: 1 });
  const said = (text: string) => {
    for (const line of text.split("\n")) if (line.trim() !== "") tell(line.trim());
  };
  let traffic: Traffic | null = null;
  try {
    const configPath = writeConfig(folder, { rpcUrl: anvil.url, chainId: CHAIN_ID }, keys);
    tell(`openledger deploy on chain ${CHAIN_ID}`);
    const deployed = await commands.heard(said, "deploy", "--config", configPath, "--yes");
    const recordPath = deployed!.recordPath as string;
    const own = ["--deployment", recordPath, "--operator-key-file", join(folder, "operator-key")];
    await machine.init(...own, ...setOptions(DRILL_SETTINGS));
    tell("operator's processes start");
    await machine.start();
    tell("deposits and a transfer");
    const sent = await startTraffic(anvil.url, recordPath, machine.url);
    traffic = sent;
    const inVain = () => ended(machine.processes);
    const isSent = async () => sent.acknowledged.length >= LEAST_TRANSFERS;
    await waitUntil("a transfer to be acknowledged", isSent, PATIENCE_MS, { inVain });
    await sent.stop();
    tell("proofs, and posting");
    const batches = await untilFinal(machine.url, machine.processes, sent.acknowledged.length);
    tell(`${sent.acknowledged.length} transfers, ${batches} batches final; openledger verify, from L1 alone`);
    const where = ["--rpc", anvil.url, "--rollup", deployed!.rollupAddress as string, "--keys", keys.folder];
    const { isDevelopment, proofCount } = (await commands.heard(said, "verify", ...where))!;
    return { batches, verified: isDevelopment === false && Number(proofCount) >= 1 };
  } finally {
    traffic?.abandon();
    await machine.die();
    await anvil.stop();
  }
}
