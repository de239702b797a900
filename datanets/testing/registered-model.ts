/** Small classifiers on a version of a test's Datanet, trained and registered as anybody does who has its rows. */
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { readHistory } from "@openledger/client/actions/data/list-commits";
import { readVersion, readVersionRows } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import type { UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { hex32 } from "@openledger/foundation/hex";

/** Trains on a version's rows in a store. @param classes labels of the Datanet's card */
export async function trainOnVersion(
  client: LedgerClient,
  location: HostedDatanetLocation,
  from: { readonly store: RowStore; readonly version: number; readonly classes: readonly string[] },
): Promise<PublishedModel> {
  const { classes, store, version } = from;
  const { versions } = await readHistory(client, location.datanetId);
  const { rowsRoot } = versions[version - 1]!;
  const contents = await readVersionRows(store, rowsRoot);
  const { rows: listed } = await readVersion(store, rowsRoot);
  const { labels, root } = await collectLabels(client, { ...location, rows: listed });
  const owned = contents.map((row, i) => ({ ...row, label: labels[i]! }));
  const datanet = { id: location.datanetId, version, rowsRoot: hex32(rowsRoot), labels: hex32(root) };
  const recipe = recipeFor(owned, SMALL_DIRECT.features, { datanet, classes: [...classes] });
  const trained = await trainDirect(owned, recipe);
  const split = { ownerParts: 6_554n, validatorParts: 16_384n };
  return publishedModel(trained, registerModel(trained, { split }, SMALL_DIRECT), { publishRows: true });
}

/** Registers a model. @returns the record of who has computed it again to the same bytes */
export async function registerPublished(
  maker: LedgerClient,
  datanetId: number,
  { statics }: PublishedModel,
  version: number,
): Promise<Extract<UnsignedRecord, { kind: "verified" }>> {
  const { featuresCommitment, ownersCommitment, payeeRoot, binding, split } = statics;
  const { keyX } = await createRandomKey();
  // Not by `createModel`: this rollup has no circuit that would settle it.
  const words = [1n, keyX, featuresCommitment, ownersCommitment, payeeRoot, binding, 5n | (split << 96n)];
  const operation = { kind: "createModel" as const, amountCode: encodeAmount(10n ** 18n), words };
  const { hash } = await signAndSend(maker, operation, {});
  const modelId = (await getOperation(maker, hash))!.createdId!;
  const { versions } = await readHistory(maker, datanetId);
  return {
    kind: "verified",
    modelId,
    modelRoot: hex32(staticsOf(await getModel(maker, modelId)).hash),
    version,
    versionRoot: hex32(versions[version - 1]!.rowsRoot),
    epoch: null,
    difference: null,
  };
}
