/**
 * Many contributions without anybody looking on: the real coordinator in a process of its own, honest people, one that
 * falls silent, one that sends rubbish, and a kill in the middle of an upload. Then the beacon, and a proof on L1.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { CeremonyClient } from "@openledger/prover/ceremony/ceremony-client";
import { checkTranscript } from "@openledger/prover/ceremony/check-transcript";
import { contribute } from "@openledger/prover/ceremony/contribute";
import { finishCeremony } from "@openledger/prover/coordinator/finish-ceremony";
import {
  isTakenByContract,
  makeTinyCeremony,
  resolveTiny,
} from "@openledger/prover/testing/ceremony.fixtures";
import { Command } from "commander";
import { localUrl } from "../world/machine.ts";
import { ManagedProcess } from "../world/process.ts";
import { count, scenario, withFolder } from "./scenario.ts";

/** People who wait and contribute at a time. */
const CROWD = 4;
const SILENT_SECONDS = 5;
const BEACON_HEX = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

interface Ceremony {
  readonly contributions: number;
  /** Of an honest contribution, its turn alone: fetched, computed, sent, checked. */
  readonly medianTurnMs: number;
  readonly totalMs: number;
  readonly refused: number;
  readonly silent: number;
  readonly kills: number;
  /** Receipts that the transcript does not have. */
  readonly lost: number;
  readonly isKeyTakenByContract: boolean;
}

export const ceremonyScenario = scenario<{ readonly contributions: number }>(
  new Command("ceremony")
    .description(
      "many contributions unattended, one silent, one rubbish, one kill; then a proof under the key",
    )
    .option("--contributions <n>", "how many", count, 20),
  async ({ contributions }, tell) => {
    const ceremony = await withFolder(null, "ceremony", (folder) => play(folder, contributions, tell));
    const isRight = ceremony.lost === 0 && ceremony.refused === 1 && ceremony.silent === 1;
    const isWhole = ceremony.isKeyTakenByContract && ceremony.contributions === contributions;
    return { facts: { ceremony }, lines: [], isGood: isRight && isWhole };
  },
);

async function play(folder: string, contributions: number, tell: (text: string) => void): Promise<Ceremony> {
  const url = await localUrl();
  const coordinator = coordinatorOf(folder, url);
  try {
    tell("a small circuit, powers of tau");
    const { ceremonyPath, ptauPath } = await makeTinyCeremony(folder, { maxContributions: contributions });
    await coordinator.start();
    const startedAtMs = performance.now();
    const client = new CeremonyClient(url);
    const receipts: string[] = [];
    const turnsMs: number[] = [];
    let [begun, refused, silent, kills] = [0, 0, 0, 0];

    const takePart = async (name: string, onUpload: () => void) => {
      let fromMs = 0;
      const { hash, index } = await client.takePart({
        ...{ name, entropy: new Uint8Array(), pollMs: 100 },
        onStage: (stage) => {
          if (stage.name === "download" && fromMs === 0) fromMs = performance.now();
          if (stage.name === "upload") onUpload();
        },
        compute: async (work) => contribute(work, () => {}),
      });
      receipts.push(hash);
      turnsMs.push(performance.now() - fromMs);
      tell(`contribution ${index} by ${name}`);
    };
    const kill = () => {
      kills++;
      tell("killed the coordinator in the middle of a contribution");
      restarted = coordinator.kill().then(() => coordinator.start());
    };
    let restarted: Promise<void> = Promise.resolve();
    const honest = async () => {
      while (begun < contributions) {
        const number = ++begun;
        const dies = number === Math.ceil((2 * contributions) / 3);
        await takePart(`person ${number}`, dies ? kill : () => {});
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
        tell("rubbish was refused");
      });
    };
    const fallSilent = async () => {
      const ticket = await client.join("falls silent");
      await untilTurn(client, ticket);
      await client.sendPiece(ticket, 0, new Uint8Array(10));
      tell("a contributor goes silent during its turn");
      await sleep(1_500 * SILENT_SECONDS);
      if ((await client.stateOf(ticket)).state === "lost") silent++;
    };
    await Promise.all([fallSilent(), rubbish(), ...Array.from({ length: CROWD }, honest)]);
    await restarted;
    const totalMs = Math.round(performance.now() - startedAtMs);

    const [info, entries] = [await client.info(), await client.transcript()];
    checkTranscript(info, entries, () => {});
    const known = new Set(entries.map(({ hash }) => hash));
    await coordinator.stop();
    tell("the beacon, and the whole key from the circuit on");
    const keyFolder = join(folder, "keys");
    const beacon = { beaconHex: BEACON_HEX, iterationsExp: 10 };
    await finishCeremony({
      folder: ceremonyPath,
      resolveCircuit: resolveTiny,
      ptauPath,
      keyFolder,
      ...beacon,
    });
    tell("a proof under the finished key, checked by the contract");
    const { right, wrong } = await isTakenByContract(keyFolder);
    return {
      contributions: entries.length,
      medianTurnMs: Math.round(turnsMs.sort((a, b) => a - b)[turnsMs.length >> 1]!),
      ...{ totalMs, refused, silent, kills },
      lost: receipts.filter((hash) => !known.has(hash)).length,
      isKeyTakenByContract: right && !wrong,
    };
  } finally {
    await coordinator.kill();
  }
}

/** The command itself; ready when it answers. */
function coordinatorOf(folder: string, url: string): ManagedProcess {
  const limits = ["--silent-seconds", String(SILENT_SECONDS), "--max-per-address", "50"];
  const often = ["--joins-per-minute", "1000"];
  const serve = ["serve", "--folder", join(folder, "ceremony"), "--port", new URL(url).port];
  return new ManagedProcess({
    name: "coordinator",
    args: ["--import", "tsx", "scripts/ceremony.ts", ...serve, ...limits, ...often],
    logPath: join(folder, "coordinator.log"),
    isReady: async () => (await fetch(`${url}/v1/ceremony`)).ok,
  });
}

async function untilTurn(client: CeremonyClient, ticket: string): Promise<void> {
  while ((await client.stateOf(ticket)).state !== "turn") await sleep(100);
}
