/** Honest models' ways behind their windows: admitted, begun, asked, paid and settled; and a liar's epoch beside them. */
import { join } from "node:path";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import type { ClaimingView } from "@openledger/challenger/claiming/claiming-report";
import { getModel, getPayments, getSettlement } from "@openledger/client/sequencer/model-reads";
import type { SettlingView } from "@openledger/models/settler/turn-report";
import { formatEther } from "viem";
import { drillError } from "../../world/drill-errors.ts";
import type { ManagedProcess } from "../../world/process.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import type { ClaimedModel } from "./claim-lies.ts";
import type { CreatedModel, DisputeWorld } from "./world.ts";

const DAY_SECONDS = 86_400;
/** Longer than from an activation to the last question, since an epoch that is over is closed at the first payment. */
export const EPOCH_SECONDS = 4 * DAY_SECONDS;

/** Admitted, begun, and approved by the Datanet. */
export async function begin(f: DisputeWorld, models: readonly CreatedModel[]): Promise<void> {
  const { as, commands, datanets, run, world } = f;
  for (const model of models) {
    const signed = as(model.owner);
    await run.run(...commands.admit(model), ...signed);
    const { activation } = await run.run<{ activation: object | null }>(
      ...[...commands.register(model.folder), ...signed],
    );
    if (activation === null) throw drillError("DRL_UNEXPECTED", `model ${model.modelId} has no activation`);
  }
  await world.allPosted();
  for (const model of models)
    await run.run(...commands.approve(datanets[model.family], model), ...as("builder"));
  await world.allPosted();
}

/** A server of a model whose owner is the builder. */
export async function serveModel(f: DisputeWorld, model: CreatedModel): Promise<ModelServer> {
  const port = await f.freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = f.commands.serve(model, port, join(f.world.folder, `answers-${model.modelId}`));
  const isText = model.family === "text";
  const own = isText ? [...f.commands.claiming(EPOCH_SECONDS), ...f.as(model.owner)] : [];
  const answers = async (path: string) =>
    (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(30_000) })).json() as Promise<never>;
  const view = (): Promise<SettlingView & { readonly claiming: ClaimingView }> => answers("/v1/settling");
  const isServed = async () =>
    isText ? (await view()).stage !== null : (await answers("/v1/model")) !== null;
  const server = await f.serve(`server-${model.family}`, [...args, ...own], isServed);
  return { url, view, server };
}

export interface ModelServer {
  readonly url: string;
  view(): Promise<SettlingView & { readonly claiming: ClaimingView }>;
  readonly server: ManagedProcess;
}

/** Closes epochs; the server that closes its own has done so. Their randomness is there at the end. */
export async function closeAndDraw(
  f: DisputeWorld,
  byHand: readonly CreatedModel[],
  others: readonly CreatedModel[],
  meanwhile: () => Promise<void>,
): Promise<void> {
  const { as, clients, commands, run, world } = f;
  for (const model of byHand) await run.run(...commands.closeEpoch(model), ...as(model.owner));
  await meanwhile();
  await world.allPosted();
  await world.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + world.finalityDepthBlocks });
  for (const { modelId } of [...byHand, ...others])
    await world.waitFor(
      "the epoch's randomness",
      async () => {
        const { closedEpoch } = await getModel(clients.builder, modelId);
        return closedEpoch !== null && closedEpoch.prevRandao !== null;
      },
      STEP_TIMEOUT_MS,
    );
}

export async function settle(f: DisputeWorld, model: CreatedModel, how: readonly string[]): Promise<void> {
  await f.run.run(...f.commands.settle(model, how), ...f.as(model.owner));
  await f.world.allPosted();
}

/** Every wei of an epoch is somebody's, and its owner's part is burned where it goes by row counts. @throws DRL_UNEXPECTED */
export async function requireSettled(
  f: DisputeWorld,
  { modelId }: Pick<ClaimedModel, "modelId">,
  how: "draws" | "row counts",
): Promise<void> {
  const { builder } = f.clients;
  const settlement = await getSettlement(builder, modelId, 1);
  const { payments } = await getPayments(builder, modelId, 1);
  if (settlement?.batchNumber == null)
    throw drillError("DRL_UNEXPECTED", `the epoch of model ${modelId} is not settled`);
  const { burnedWei, earnedSumWei, ownerWei, treasuryWei } = settlement;
  const parts = [earnedSumWei!, ownerWei!, treasuryWei!, burnedWei!];
  const [settledWei, paidWei] = [parts.reduce((sum, wei) => sum + wei, 0n), 0n + sumOf(payments)];
  if (settledWei !== paidWei || paidWei === 0n || earnedSumWei === 0n)
    throw drillError("DRL_UNEXPECTED", `model ${modelId}: ${paidWei} wei are paid, ${settledWei} settled`);
  if (ownerWei! > 0n !== (how === "draws"))
    throw drillError("DRL_UNEXPECTED", `the epoch of model ${modelId} is not settled by ${how}`);
  f.tell(`model ${modelId}: ${formatEther(paidWei)} OPEN are settled by ${how}, to the wei`);
}

const sumOf = (payments: readonly { readonly amountWei: bigint }[]) =>
  payments.reduce((sum, { amountWei }) => sum + amountWei, 0n);
