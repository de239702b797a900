/** An honest model's way: posted, attested by the watcher, admitted after its window, paid and settled. */
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import { TREES } from "@openledger/challenger/internal/statements/committed-model";
import { readWindows } from "@openledger/challenger/model-commitments/read-windows";
import { getModel, getSettlement } from "@openledger/client/sequencer/model-reads";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import type { DisputeWorld } from "./dispute-world.ts";

export interface HonestWay {
  readonly modelId: number;
  readonly postGas: number;
  readonly attestGas: number;
  readonly admitGas: number;
  /** Of its one epoch, with one payment. */
  readonly paidWei: bigint;
  /** What L1 has when it is over: the batch with the settlement. */
  readonly settledInBatch: number;
}

const HOUR_SECONDS = 3_600;
const WINDOW_SECONDS = 7 * 86_400;

/** @throws DRL_UNEXPECTED where it is refuted, or let in too early */
export async function playHonest(f: DisputeWorld, tell: (text: string) => void): Promise<HonestWay> {
  const { clients, datanetId, gate, honest, published, run, world } = f;
  const [builder, customer] = [f.as("builder"), f.as("customer")];
  const staged = join(world.folder, "honest");
  await writeModel(staged, honest.model);
  const register = ["models", "register", staged, "--prover", "wasm", ...builder] as const;
  const { cap, modelId } = await run.run<{ modelId: number; cap: number }>(...register);
  const folder = join(published, String(modelId));
  await writeModel(folder, honest.model);
  await world.allPosted();
  const named = ["--model-id", String(modelId)];
  const posted = await run.run<{ modelCommitment: string; gasUsed: string }>(
    ...["disputes", "commit-model", gate, folder, ...named, ...builder],
  );
  tell(`honest model ${modelId} is posted; somebody challenges a leaf, and its owner shows it`);
  const terms = await challengeLeaf(f, BigInt(posted.modelCommitment));
  const { looked } = await run.run<{ looked: readonly { answered: readonly object[] }[] }>(
    ...["disputes", "play", gate, folder, ...named, ...builder],
  );
  const answeredCount = looked[0]!.answered.length;
  if (answeredCount !== 1)
    throw drillError(
      "DRL_UNEXPECTED",
      `${answeredCount} data-availability challenges were answered, not one`,
    );
  tell("waiting for the watcher");
  const admit = ["disputes", "admit", gate, folder, ...named, "--cap", String(cap), ...builder] as const;
  if ((await run.refusal(...admit)) !== "CMD_USAGE")
    throw drillError("DRL_UNEXPECTED", "admitted before its window has ended");
  const attested = await world.waitFor(
    "watch to attest the honest model",
    async () => {
      const [modelCommitment] = await readWindows(world.l1.client as never, gate, { modelId });
      return modelCommitment!.attestedBy?.includes(drillAccount("watcher").address);
    },
    STEP_TIMEOUT_MS,
  );
  if (!attested) throw drillError("DRL_UNEXPECTED", "nobody has attested it");
  tell("attested; seven days pass on L1");
  await world.passTime(WINDOW_SECONDS + HOUR_SECONDS);
  const { gasUsed: admitGas } = await run.run<{ gasUsed: string }>(...admit);
  const { paidWei: returnedWei } = await run.run<{ paidWei: string }>(
    ...["disputes", "withdraw", gate, ...builder],
  );
  if (BigInt(returnedWei) !== terms.bondWei + terms.availabilityChallengeFeeWei)
    throw drillError("DRL_UNEXPECTED", `bond and fee came back as ${returnedWei} wei`);
  tell("admitted, its bond returned with the data-availability challenge's fee; its activation is proven");
  const { activation } = await run.run<{ activation: { batchNumber: number } | null }>(...register);
  if (activation === null) throw drillError("DRL_UNEXPECTED", "it has no activation");
  await run.run("datanet", "approve-model", String(datanetId), String(modelId), ...builder);
  const port = await f.freePort();
  const url = `http://127.0.0.1:${port}`;
  await f.serve(
    "model-server",
    [
      ...["models", "serve", folder, "--model", String(modelId), "--port", String(port)],
      ...["--data", join(world.folder, "answers")],
    ],
    async () => (await fetch(`${url}/v1/model`, { signal: AbortSignal.timeout(2_000) })).ok,
  );
  tell("asked and paid for one answer");
  await run.run("models", "ask", String(modelId), "Subject: lunch at noon?", "--server", url, ...customer);
  await run.run("models", "close-epoch", String(modelId), ...builder);
  await world.allPosted();
  const paidWei = (await getModel(clients.builder, modelId)).closedEpoch!.amountWei;
  await world.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + world.finalityDepthBlocks });
  tell("closed; its draws are settled");
  const settle = [
    "models",
    "settle",
    String(modelId),
    "--server",
    url,
    "--prover",
    "wasm",
    ...builder,
  ] as const;
  const divided = await world.waitFor(
    "the epoch's randomness and its settlement",
    (): Promise<Divided> => run.run(...settle),
    STEP_TIMEOUT_MS,
  );
  requireWhole(divided, paidWei);
  await world.allPosted();
  const settlement = await getSettlement(clients.builder, modelId, 1);
  if (settlement?.batchNumber == null) throw drillError("DRL_UNEXPECTED", "no batch has its settlement");
  return {
    modelId,
    paidWei,
    postGas: Number(posted.gasUsed),
    attestGas: await attestGas(f, modelId),
    admitGas: Number(admitGas),
    settledInBatch: settlement.batchNumber,
  };
}

/** What the command says of a settled epoch, in wei. */
interface Divided {
  readonly earnedWei: readonly string[];
  readonly ownerWei: string;
  readonly treasuryWei: string;
  readonly burnedWei: string;
}

/** @throws DRL_UNEXPECTED where a wei is missing, or rows get nothing */
function requireWhole({ burnedWei, earnedWei, ownerWei, treasuryWei }: Divided, paidWei: bigint): void {
  const sum = (parts: readonly string[]) => parts.reduce((total, part) => total + BigInt(part), 0n);
  const earned = sum(earnedWei);
  const total = earned + sum([ownerWei, treasuryWei, burnedWei]);
  if (earned === 0n || total !== paidWei)
    throw drillError("DRL_UNEXPECTED", `${paidWei} wei were paid, ${total} are settled, ${earned} for rows`);
}

/** A stranger challenges a row of the model commitment's map. */
async function challengeLeaf({ gate, world }: DisputeWorld, id: bigint) {
  const { client } = world.l1;
  const contract = { address: gate, abi: disputesAbi } as const;
  const [bondWei, availabilityChallengeFeeWei] = await Promise.all([
    client.readContract({ ...contract, functionName: "leastBondWei" }),
    client.readContract({ ...contract, functionName: "availabilityChallengeFeeWei" }),
  ]);
  const wallet = world.l1.walletOf("hostile");
  const args = [id, TREES.indexOf("map"), 3n] as const;
  const hash = await wallet.writeContract({
    ...contract,
    functionName: "challengeAvailability",
    args,
    value: availabilityChallengeFeeWei,
  });
  await client.waitForTransactionReceipt({ hash });
  return { bondWei, availabilityChallengeFeeWei };
}

async function attestGas({ gate, world }: DisputeWorld, modelId: number) {
  const { client } = world.l1;
  const [modelCommitment] = await readWindows(client as never, gate, { modelId });
  const [event] = await client.getContractEvents({
    ...{
      address: gate,
      abi: disputesAbi,
      eventName: "Attested",
      args: { id: modelCommitment!.id },
      fromBlock: 0n,
    },
  });
  return Number((await client.getTransactionReceipt({ hash: event!.transactionHash })).gasUsed);
}
