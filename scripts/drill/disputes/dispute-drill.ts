/** Hostile owners against `openledger watch`, and one honest model: everything real, each command a process of its own. */
import { formatEther, parseEther } from "viem";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { type BackendName, createProver } from "../../../prover/backends.ts";
import { drillAccount } from "../drill-accounts.ts";
import { drillError } from "../drill-errors.ts";
import { renderColumns } from "../table.ts";
import { type DisputeWorld, type DisputeWorldOptions, startDisputeWorld } from "./dispute-world.ts";
import type { Falsehood, ModelKind } from "./falsehood.ts";
import { type HonestWay, playHonest } from "./honest-model.ts";
import { playLie, type RefutedLie } from "./hostile-postings.ts";

export interface DisputeDrillOptions extends DisputeWorldOptions {
  readonly backend: BackendName;
  readonly kinds: readonly ModelKind[];
  readonly falsehoods: readonly Falsehood[];
  /** Whether an honest model of each kind goes all the way, too: some minutes more. */
  readonly playsHonest: boolean;
}

export interface DisputeDrillResult {
  readonly lies: readonly RefutedLie[];
  /** What the watcher has taken home. */
  readonly paidWei: bigint;
  readonly honest: readonly HonestWay[];
  readonly rows: number;
}

const WATCH_MINUTES = "0.05";

/** One kind of models after the other: a watcher for each contract. */
export async function runDisputeDrill(options: DisputeDrillOptions): Promise<DisputeDrillResult> {
  const { backend, falsehoods, kinds, sizes, tell } = options;
  const f = await startDisputeWorld(options);
  const prover = await createProver(backend);
  try {
    const lies: RefutedLie[] = [];
    const honest: HonestWay[] = [];
    let paidWei = 0n;
    for (const kind of kinds) {
      const { disputes } = f.sides[kind];
      const watch = ["watch", disputes, "--models", f.published, "--every", WATCH_MINUTES];
      tell(`openledger watch begins, of ${kind} models`);
      const watcher = await f.serve(`watch-${kind}`, [...watch, ...f.as("watcher")], async () => true);
      try {
        const refuted: RefutedLie[] = [];
        for (const falsehood of falsehoods.filter((one) => one.kind === kind)) {
          tell(`a hostile owner posts ${falsehood.description}`);
          const lie = await playLie(f, falsehood, prover);
          tell(
            `refuted by ${lie.fault} for ${lie.challengeGas} gas after ${lie.refutedAfterMs} ms; genesis: ${lie.genesisRefusal}`,
          );
          refuted.push(lie);
        }
        lies.push(...refuted);
        if (options.playsHonest) honest.push(await playHonest(f, kind, tell));
        paidWei += await takeRewards(f, kind, refuted.length);
      } finally {
        await watcher.close();
      }
    }
    return { lies, honest, paidWei, rows: sizes.classifier.rows };
  } finally {
    await prover.close();
    await f.stop();
  }
}

/** Half of every bond, to the wei. */
async function takeRewards(
  { as, run, sides, world }: DisputeWorld,
  kind: ModelKind,
  lieCount: number,
): Promise<bigint> {
  if (lieCount === 0) return 0n;
  const { disputes } = sides[kind];
  const { paidWei } = await run.run<{ paidWei: string }>("disputes", "withdraw", disputes, ...as("watcher"));
  const bondWei = await world.l1.client.readContract({
    ...{ address: disputes, abi: disputesAbi, functionName: "leastBondWei" },
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
