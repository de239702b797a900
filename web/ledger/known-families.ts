/** Families of models that pages can compute, loaded when a page needs one. */
import type { ModelFamily } from "@openledger/attribution/model/model-family";

/** Returns the families of models whose answers the page can check; models/tuning/recipe/model-families.ts has those of the commands. */
export async function knownFamilies(serverUrl: string): Promise<readonly ModelFamily[]> {
  const [{ directFamilyOf }, { readStoredVectors }, { textFamily }, { readFromServer }] = await Promise.all([
    import("@openledger/attribution/model/direct/direct-family"),
    import("./stored-vectors.ts"),
    import("@openledger/models/tuning/recipe/text-family"),
    import("@openledger/models/tuning/recipe/base-files"),
  ]);
  const readVectors = readStoredVectors(serverUrl);
  const direct = directFamilyOf(readVectors);
  const bases = [readFromServer(serverUrl)];
  return [direct as never, textFamily({ bases, kernels: "wasm", readEncoder: readVectors })];
}
