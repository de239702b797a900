import { encodeFunctionData } from "viem";
import { isDisputable } from "../../../attribution/disputes/posted-model.ts";
import { readModel } from "../../../attribution/model/model-directory.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { statementTuple } from "../../../client/disputing/dispute-calls.ts";
import { admitUnchallengedData } from "../../../client/disputing/ledger-proofs.ts";
import { readPostings } from "../../../client/disputing/read-postings.ts";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress, resolveEndpoints } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import { modelFamilies } from "../../cli/model-families.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface AdmitOptions {
  modelId: string;
  cap: string;
}

/** @throws CMD_USAGE where no posting of the model counts */
export async function admitModel({ options, args, output }: CommandContext<AdmitOptions>): Promise<void> {
  await initPoseidon();
  const to = parseAddress(args[0]!);
  const [modelId, cap] = [parseId(options.modelId), BigInt(parseId(options.cap))];
  const model = await readModel(args[1]!, await modelFamilies());
  const sender = await l1SenderOf(options);
  const { rollupAddress } = resolveEndpoints(options);
  let data: `0x${string}`;
  if (isDisputable(model)) {
    const postings = await readPostings(sender.publicClient, to, { modelId });
    const counting = postings.find(
      ({ state, statement }) => state === "counts" && statement.staticsHash === model.staticsHash,
    );
    if (counting === undefined)
      throw commandError(
        "CMD_USAGE",
        `no posting of model ${modelId} counts yet: openledger disputes show ${to}`,
      );
    const args = [counting.id, statementTuple(counting.statement), rollupAddress, cap] as const;
    data = encodeFunctionData({ abi: disputesAbi, functionName: "admit", args });
  } else data = admitUnchallengedData(model, modelId, cap);
  const sent = await sender.send({ to, data, valueWei: 0n });
  const how = isDisputable(model) ? "its window has ended" : "its statics promise no window";
  output.answer(
    [`model ${modelId} may have its genesis: ${how}; L1 transaction ${sent.hash}, ${sent.gasUsed} gas`],
    { modelId, isChallenged: isDisputable(model), ...sent },
  );
}
