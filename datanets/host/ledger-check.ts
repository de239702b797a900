/**
 * Checks that what somebody has signed about a model or a version is about one of the ledger: else anybody could fill a host with
 * models that do not exist. record-routes.ts calls it.
 */
import { datanetError } from "../datanet-errors.ts";
import type { ReportBody, VerifiedBody } from "../records/record.ts";
import type { HostLedger } from "../store/ledger-view.ts";

/**
 * Versions and models of recomputations and reports are the ledger's, and the models were trained on this Datanet. Other records
 * name none.
 * @throws DNT_RECORD_INVALID; SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE
 */
export async function requireOnLedger(ledger: HostLedger, body: VerifiedBody | ReportBody): Promise<void> {
  const { datanetId, version, versionRoot } = body;
  const named = body.kind === "verified" ? { id: body.modelId, root: body.modelRoot } : body.model;
  const model = named === null ? null : await requireModel(ledger, body, named);
  const { versions } = await ledger.history(datanetId);
  if (versions[version - 1]?.rowsRoot !== BigInt(versionRoot))
    throw other(body, `version ${version} of Datanet ${datanetId} does not have the root ${versionRoot}`);
  if (body.kind === "verified" && body.epoch !== null && body.epoch >= model!.epoch)
    throw other(body, `epoch ${body.epoch} of model ${body.modelId} is not closed`);
}

async function requireModel(
  ledger: HostLedger,
  body: VerifiedBody | ReportBody,
  { id, root }: { readonly id: number; readonly root: string },
) {
  const { datanetId, version } = body;
  const model = await ledger.model(id);
  if (model === null) throw other(body, `leaf ${id} is no model`);
  if (!model.datanetIds.includes(datanetId))
    throw other(body, `model ${id} was not trained on Datanet ${datanetId}`);
  if (model.root !== root) throw other(body, `the ledger has the root ${model.root} of model ${id}`);
  if (model.datanetIds[0] === datanetId && model.version !== version)
    throw other(body, `model ${id} was trained on version ${model.version}`);
  return model;
}

const other = (body: VerifiedBody | ReportBody, why: string) =>
  datanetError("DNT_RECORD_INVALID", `the record is about something else than the ledger has: ${why}`, {
    data: {
      reason: "not-on-ledger",
      why,
      ...(body.kind === "verified" ? { modelId: body.modelId } : { version: body.version }),
    },
  });
