import { readFile, writeFile } from "node:fs/promises";
import { ownRoots, rowsOfVersion } from "@openledger/attribution/model/verify-model";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { staticsOf } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { certifyRow } from "@openledger/models/settling/certify-row";
import { decodeCertificate } from "@openledger/verifier/certificates/certificate-file";
import { readCertificateFacts } from "@openledger/verifier/certificates/certificate-on-l1";
import {
  type CheckedCertificate,
  checkCertificate,
} from "@openledger/verifier/certificates/check-certificate";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, openReader, resolveEndpoints } from "../../cli/context.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { type CheckOptions, checkSettlement } from "../verify/settlement-check.ts";
import { storedRows } from "../verify/verify-model.ts";

interface CertifyOptions extends CheckOptions {
  readonly out: string;
  readonly maxKilobytes: number;
  readonly rows?: string;
}

export async function writeCertificate({
  args,
  options,
  output,
}: CommandContext<CertifyOptions>): Promise<void> {
  const wanted = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
  const row = parseId(args[2]!);
  const client = await openReader(options);
  const verified = await checkSettlement(client, wanted, options, output);
  const { leaf, model, openings } = verified;
  const facts = { staticsHash: staticsOf(leaf).hash, ...ownRoots(model.recipe) };
  const rows = rowsOfVersion(model, facts, await storedRows(options, facts));
  output.progress("finding the version on the ledger");
  const maxBytes = 1_000 * options.maxKilobytes;
  const bytes = await certifyRow(client, verified, { row, rows, model, openings, maxBytes });
  // What it prints is what anyone would believe of this file.
  const { checked, transactionHash } = await checkBytes(bytes, options);
  await writeFile(options.out, bytes);
  output.answer([...certificateLines(checked), `${bytes.length} bytes in ${options.out}`], {
    ...certificateView(checked),
    ...{ l1TransactionHash: transactionHash, sizeBytes: bytes.length, written: options.out },
  });
}

export async function checkCertificateFile({
  args,
  options,
  output,
}: CommandContext<GlobalOptions>): Promise<void> {
  const [path] = args as [string];
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  });
  const { checked, transactionHash } = await checkBytes(bytes, options);
  const lines = [...certificateLines(checked), `it follows from L1's transaction ${transactionHash}`];
  output.answer(lines, { ...certificateView(checked), l1TransactionHash: transactionHash });
}

async function checkBytes(bytes: Uint8Array, options: GlobalOptions) {
  await initPoseidon();
  const certificate = decodeCertificate(bytes);
  const { rollupAddress: address, rpcUrl } = resolveEndpoints(options);
  const rollup = new RollupContract({ client: createPatientL1Client({ rpcUrl }), address });
  const { transactionHash, ...facts } = await readCertificateFacts(rollup, certificate);
  return { checked: checkCertificate(certificate, facts), transactionHash };
}

function certificateLines(checked: CheckedCertificate): string[] {
  const { contributorId, datanetId, draws, earnedWei, epoch, modelId, row, validatorId, version } = checked;
  const isWhole = draws.length === checked.validDrawCount;
  return [
    `row ${row} (digest ${hexOf(checked)}) of version ${version} of Datanet ${datanetId} earned ${isWhole ? "" : "at least "}${formatOpen(earnedWei)} OPEN in epoch ${epoch} of model ${modelId}`,
    ...draws.map(
      ({ draw, earnedWei, payerId, score }) =>
        `  ${formatOpen(earnedWei)} by draw ${draw}, a payment of leaf ${payerId}: score ${score}`,
    ),
    `for leaf ${contributorId}, vouched for by leaf ${validatorId}; all rows of theirs earned ${formatOpen(checked.payeeEarnedWei)}`,
  ];
}

const certificateView = (checked: CheckedCertificate) => ({ ...checked, digest: hexOf(checked) });
const hexOf = ({ digest }: CheckedCertificate) => Buffer.from(digest).toString("hex");
