/**
 * Checks that a recomputation somebody has signed is about a model of the ledger: else anybody could fill a host with models
 * that do not exist. record-routes.ts calls it.
 */
import { datanetError } from "../datanet-errors.ts";
import type { VerifiedBody } from "../records/record.ts";
import type { HostLedger } from "../store/ledger-view.ts";

/**
 * Model, root, version and epoch are the ledger's, and the model was trained on this Datanet.
 * @throws DNT_RECORD_INVALID; SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE
 */
export async function requireOnLedger(ledger: HostLedger, body: VerifiedBody): Promise<void> {
  const { datanetId, epoch, modelId, modelRoot, version, versionRoot } = body;
  const model = await ledger.model(modelId);
  if (model === null) throw other(body, `leaf ${modelId} is no model`);
  if (!model.datanetIds.includes(datanetId))
    throw other(body, `model ${modelId} was not trained on Datanet ${datanetId}`);
  if (model.root !== modelRoot)
    throw other(body, `the ledger has the root ${model.root} of model ${modelId}`);
  if (model.datanetIds[0] === datanetId && model.version !== version)
    throw other(body, `model ${modelId} was trained on version ${model.version}`);
  const { versions } = await ledger.history(datanetId);
  if (versions[version - 1]?.rowsRoot !== BigInt(versionRoot))
    throw other(body, `version ${version} of Datanet ${datanetId} does not have the root ${versionRoot}`);
  if (epoch !== null && epoch >= model.epoch)
    throw other(body, `epoch ${epoch} of model ${modelId} is not closed`);
}

const other = ({ modelId }: VerifiedBody, why: string) =>
  datanetError("DNT_RECORD_INVALID", `the record is about something else than the ledger has: ${why}`, {
    data: { reason: "not-on-ledger", why, modelId },
  });
