/** Hostile owners against `openledger watch`, and one honest model: everything real, each command a process of its own. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { formatEther, parseEther } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { renderColumns } from "../table.ts";
import { type DisputeWorld, type DisputeWorldOptions, startDisputeWorld } from "./dispute-world.ts";
import type { Falsehood, ModelKind } from "./falsehood.ts";
import { type HonestWay, playHonest } from "./honest-model.ts";
import { playLie, type RefutedLie } from "./hostile-postings.ts";

interface DisputeDrillOptions extends DisputeWorldOptions {
  readonly backend: BackendName;
  readonly kinds: readonly ModelKind[];
  readonly falsehoods: readonly Falsehood[];
  /** Whether an honest model of each kind goes all the way, too: some minutes more. */
  readonly playsHonest: boolean;
}

interface DisputeDrillResult {
  readonly lies: readonly RefutedLie[];
  /** What the watcher has taken home. */
  readonly paidWei: bigint;
  readonly honest: readonly HonestWay[];
  readonly rows: number;
}

const WATCH_MINUTES = "0.05";

/** One rollup, one gate, one watcher of all that stands behind it. */
export async function runDisputeDrill(options: DisputeDrillOptions): Promise<DisputeDrillResult> {
  const { backend, falsehoods, kinds, sizes, tell } = options;
  const f = await startDisputeWorld(options);
  const prover = await createProver(backend);
  try {
    const watch = ["watch", f.gate, "--models", f.published, "--every", WATCH_MINUTES];
    tell("openledger watch begins");
    await f.serve("watch", [...watch, ...f.as("watcher")]);
    const lies: RefutedLie[] = [];
    for (const falsehood of falsehoods.filter(({ kind }) => kinds.includes(kind))) {
      tell(`a hostile owner posts ${falsehood.description}`);
      const lie = await playLie(f, falsehood, prover);
      tell(
        `refuted by ${lie.fault} for ${lie.challengeGas} gas after ${lie.refutedAfterMs} ms; genesis: ${lie.genesisRefusal}`,
      );
      lies.push(lie);
    }
    const honest: HonestWay[] = [];
    if (options.playsHonest) for (const kind of kinds) honest.push(await playHonest(f, kind, tell));
    return { lies, honest, paidWei: await takeRewards(f, lies.length), rows: sizes.classifier.rows };
  } finally {
    await prover.close();
    await f.stop();
  }
}

/** Half of every bond, to the wei, from all contracts at once. */
async function takeRewards({ as, gate, run, sides, world }: DisputeWorld, lieCount: number): Promise<bigint> {
  if (lieCount === 0) return 0n;
  const { paidWei } = await run.run<{ paidWei: string }>("disputes", "withdraw", gate, ...as("watcher"));
  const bondWei = await world.l1.client.readContract({
    ...{ address: sides.direct.disputes, abi: disputesAbi, functionName: "leastBondWei" },
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
    ["posting", "shown by", "post gas", "challenge gas", "after", "reward", "genesis"],
    ...lies.map((lie) => [
      ...[lie.name, lie.fault, gas(lie.postGas), gas(lie.challengeGas), `${lie.refutedAfterMs} ms`],
      ...[`${formatEther(lie.rewardWei)} ETH`, lie.genesisRefusal],
    ]),
    ...honest.map(({ admitGas, kind, paidWei, postGas, settledInBatch }) => [
      ...[`honest ${kind}`, "-", gas(postGas), "-", "-", "-"],
      `admitted for ${gas(admitGas)} gas, ${formatEther(paidWei)} OPEN settled in batch ${settledInBatch}`,
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
    honest: honest.map((way) => ({ ...way, paidWei: way.paidWei.toString() })),
  };
}
