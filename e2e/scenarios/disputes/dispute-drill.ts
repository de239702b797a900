/** Hostile owners against `openledger watch`, and one honest model: everything real, each command a process of its own. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { formatEther, parseEther } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { renderColumns } from "../table.ts";
import { type DisputeWorld, type DisputeWorldOptions, startDisputeWorld } from "./dispute-world.ts";
import type { Falsehood } from "./falsehood.ts";
import { type HonestWay, playHonest } from "./honest-model.ts";
import { playLie, type RefutedLie } from "./hostile-model-commitments.ts";

interface DisputeDrillOptions extends DisputeWorldOptions {
  readonly backend: BackendName;
  readonly falsehoods: readonly Falsehood[];
  /** Whether an honest model goes all the way, too: some minutes more. */
  readonly playsHonest: boolean;
}

interface DisputeDrillResult {
  readonly lies: readonly RefutedLie[];
  /** What the watcher has taken home. */
  readonly paidWei: bigint;
  readonly honest: HonestWay | null;
  readonly rows: number;
}

const WATCH_MINUTES = "0.05";

/** One rollup, one gate, one watcher. */
export async function runDisputeDrill(options: DisputeDrillOptions): Promise<DisputeDrillResult> {
  const { backend, falsehoods, size, tell } = options;
  const f = await startDisputeWorld(options);
  const prover = await createProver(backend);
  try {
    const watch = ["watch", f.gate, "--models", f.published, "--every", WATCH_MINUTES];
    tell("openledger watch begins");
    await f.serve("watch", [...watch, ...f.as("watcher")]);
    const lies: RefutedLie[] = [];
    for (const falsehood of falsehoods) {
      tell(`a hostile owner posts ${falsehood.description}`);
      const lie = await playLie(f, falsehood, prover);
      tell(
        `refuted by ${lie.fault} for ${lie.challengeGas} gas after ${lie.refutedAfterMs} ms; activation: ${lie.activationRefusal}`,
      );
      lies.push(lie);
    }
    const honest = options.playsHonest ? await playHonest(f, tell) : null;
    return { lies, honest, paidWei: await takeRewards(f, lies.length), rows: size.rows };
  } finally {
    await prover.close();
    await f.stop();
  }
}

/** Half of every bond, to the wei. */
async function takeRewards({ as, gate, run, world }: DisputeWorld, lieCount: number): Promise<bigint> {
  if (lieCount === 0) return 0n;
  const { paidWei } = await run.run<{ paidWei: string }>("disputes", "withdraw", gate, ...as("watcher"));
  const bondWei = await world.l1.client.readContract({
    ...{ address: gate, abi: disputesAbi, functionName: "leastBondWei" },
  });
  const expectedWei = (bondWei / 2n) * BigInt(lieCount);
  if (BigInt(paidWei) !== expectedWei)
    throw drillError(
      "DRL_UNEXPECTED",
      `${drillAccount("watcher").address} got ${paidWei} wei instead of ${expectedWei}`,
    );
  return expectedWei;
}

export function disputeTable({ honest, lies, paidWei }: DisputeDrillResult): string {
  const gas = (count: number) => count.toLocaleString("en");
  const lines = [
    ["model commitment", "shown by", "commit gas", "challenge gas", "after", "reward", "activation"],
    ...lies.map((lie) => [
      ...[lie.name, lie.fault, gas(lie.postGas), gas(lie.challengeGas), `${lie.refutedAfterMs} ms`],
      ...[`${formatEther(lie.rewardWei)} ETH`, lie.activationRefusal],
    ]),
    ...(honest === null
      ? []
      : [
          [
            ...["honest", "-", gas(honest.postGas), "-", "-", "-"],
            `admitted for ${gas(honest.admitGas)} gas, ${formatEther(honest.paidWei)} OPEN settled in batch ${honest.settledInBatch}`,
          ],
        ]),
  ];
  return `${renderColumns(lines)}\nthe watcher has withdrawn ${formatEther(paidWei)} ETH`;
}

/** The last line of the command. */
export function disputeFacts({ honest, lies, paidWei, rows }: DisputeDrillResult): object {
  const inEther = (wei: bigint) => Number(wei) / Number(parseEther("1"));
  return {
    rows,
    lies: lies.map(({ rewardWei, ...lie }) => ({ ...lie, rewardEther: inEther(rewardWei) })),
    paidEther: inEther(paidWei),
    honest: honest === null ? null : { ...honest, paidWei: honest.paidWei.toString() },
  };
}
