import { encodeFunctionData, formatEther, parseEther } from "viem";
import {
  faultsOf,
  honestPosting,
  POSTABLE_FAMILIES,
  type PostableModel,
} from "../../../attribution/disputes/posting-kind.ts";
import { readModel } from "../../../attribution/model/model-directory.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { statementTuple } from "../../../client/disputing/dispute-calls.ts";
import { bindRowsData } from "../../../client/disputing/ledger-proofs.ts";
import { readPostings } from "../../../client/disputing/read-postings.ts";
import {
  deployDisputes,
  deployLedgerMath,
  missingChunks,
  storeChunks,
} from "../../../contracts/build/deploy-disputes.ts";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface DeployOptions {
  windowDays: string;
  bond: string;
  demandFee: string;
  rows: string;
}

export interface PostOptions {
  modelId: string;
  bond?: string;
}

export async function deployContracts({ options, output }: CommandContext<DeployOptions>): Promise<void> {
  const windowSeconds = BigInt(Math.round(Number(options.windowDays) * 86_400));
  const [leastBondWei, demandFeeWei] = [parseEther(options.bond), parseEther(options.demandFee)];
  const mostRows = parseId(options.rows);
  const sender = await l1SenderOf(options);
  const clients = { walletClient: sender.walletClient, publicClient: sender.publicClient };
  const math = await deployLedgerMath(clients);
  const missing = await missingChunks(sender.publicClient, math, mostRows);
  const gasUsed = await storeChunks(clients, math, missing, (done) =>
    output.progress(`constants: ${done} of ${missing.length}`),
  );
  const address = await deployDisputes(clients, { windowSeconds, leastBondWei, demandFeeWei }, math);
  const lines = [
    `Disputes ${address}, LedgerMath ${math}`,
    `${missing.length} chunks of constants stored for ${gasUsed.toLocaleString("en")} gas, enough for ${mostRows} rows`,
  ];
  output.answer(lines, { disputes: address, math, chunkCount: missing.length, chunkGas: gasUsed });
}

/** @throws CMD_USAGE where a place of the model is wrong: it would cost the bond */
export async function postModel({ options, args, output }: CommandContext<PostOptions>): Promise<void> {
  await initPoseidon();
  const address = parseAddress(args[0]!);
  const modelId = parseId(options.modelId);
  const model = (await readModel(args[1]!, POSTABLE_FAMILIES)) as PostableModel;
  if (model.rows === null) throw commandError("CMD_USAGE", "the model is published without its rows");
  const { rows } = model;
  output.progress("computing what is posted");
  const posted = honestPosting(
    model,
    rows.map(({ content }) => content),
    modelId,
  );
  output.progress("checking every place of it");
  const { value: fault } = faultsOf(posted, rows).next();
  if (fault !== undefined)
    throw commandError("CMD_USAGE", `anyone could refute it: ${JSON.stringify(fault)}; nothing is posted`);
  const sender = await l1SenderOf(options);
  const { publicClient } = sender;
  const contract = { address, abi: disputesAbi } as const;
  const [leastBondWei, math] = await Promise.all([
    publicClient.readContract({ ...contract, functionName: "leastBondWei" }),
    publicClient.readContract({ ...contract, functionName: "math" }),
  ]);
  const missing = await missingChunks(publicClient, math, rows.length);
  if (missing.length > 0) {
    output.progress(`storing ${missing.length} chunks of constants that its challenges read`);
    await storeChunks({ walletClient: sender.walletClient, publicClient }, math, missing);
  }
  const valueWei = options.bond === undefined ? leastBondWei : parseEther(options.bond);
  const data = encodeFunctionData({
    ...{ abi: disputesAbi, functionName: "post" },
    args: [statementTuple(posted.statement)],
  });
  const sent = await sender.send({ to: address, data, valueWei });
  const own = (await readPostings(publicClient, address, { modelId })).filter(
    ({ owner }) => owner === sender.address,
  );
  const posting = own.at(-1)!;
  const bound = await sender.send({
    to: address,
    data: await bindRowsData(await openReader(options), posting),
    valueWei: 0n,
  });
  const until = new Date(Number(posting.endsAtSeconds) * 1000).toISOString();
  const lines = [
    `posting ${posting.id} of model ${modelId}: window until ${until}, bond ${formatEther(valueWei)} ETH`,
    `posted by L1 transaction ${sent.hash}, ${sent.gasUsed} gas; rows bound by ${bound.hash}, ${bound.gasUsed} gas`,
  ];
  output.answer(lines, {
    ...{ posting: posting.id, modelId, endsAtSeconds: posting.endsAtSeconds, bondWei: valueWei },
    ...{ posted: sent, bound },
  });
}
