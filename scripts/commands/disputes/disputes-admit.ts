import { readModel } from "@openledger/attribution/model/model-directory";
import {
  contractFor,
  contractsBehind,
  promisesPosting,
} from "@openledger/challenger/playing/disputes-contracts";
import { type DisputesCall, disputesSenderOf } from "@openledger/challenger/playing/disputes-sender";
import { admitCall, admitUnchallengedCall } from "@openledger/challenger/postings/ledger-proofs";
import { postingLines } from "@openledger/challenger/postings/posting-lines";
import { readPostings } from "@openledger/challenger/postings/read-postings";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress, resolveEndpoints } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface AdmitOptions {
  modelId: string;
  cap: string;
}

/** @throws CMD_USAGE where no posting of the model counts */
export async function admitModel({ options, args, output }: CommandContext<AdmitOptions>): Promise<void> {
  await initPoseidon();
  const given = parseAddress(args[0]!);
  const [modelId, cap] = [parseId(options.modelId), BigInt(parseId(options.cap))];
  const model = await readModel(args[1]!, await modelFamilies());
  // A model without a window is admitted by any of them.
  const sender = await disputesSenderOf(await l1SenderOf(options), given, async (client) =>
    promisesPosting(model)
      ? contractFor(client, given, model)
      : (await contractsBehind(client, given))[0]!.address,
  );
  const to = sender.disputes;
  const { rollupAddress } = resolveEndpoints(options);
  let call: DisputesCall;
  if (promisesPosting(model)) {
    const own = (await readPostings(sender.publicClient, to, { modelId })).filter(
      ({ rollup, statement }) => rollup === rollupAddress && statement.staticsHash === model.staticsHash,
    );
    const counting = own.find(({ state }) => state === "counts");
    if (counting === undefined)
      throw commandError(
        "CMD_USAGE",
        own.length === 0
          ? `nobody has posted model ${modelId} of this rollup: openledger disputes post ${to} ${args[1]} --model-id ${modelId}`
          : `no posting of model ${modelId} counts yet:\n${own.flatMap(postingLines).join("\n")}`,
      );
    call = admitCall(model, counting.id, counting.statement, cap);
  } else call = admitUnchallengedCall(model, modelId, cap);
  const sent = await sender.send(call);
  const how = promisesPosting(model) ? "its window has ended" : "its statics promise no window";
  output.answer(
    [
      `model ${modelId} may have its genesis: ${how}; L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
      `once the sequencer has heard of it: openledger model register ${args[1]}`,
    ],
    { modelId, isChallenged: promisesPosting(model), ...sent },
  );
}
