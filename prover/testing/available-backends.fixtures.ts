/** Back ends that this machine has, for tests that run on each. */
import { BACKEND_NAMES, type BackendName, createProver } from "../backends.ts";

/**
 * Our own back ends that this machine has; snarkjs' has tests of its own. That a back end is missing where it should
 * not be is for its own tests to notice.
 */
export async function availableBackends(): Promise<BackendName[]> {
  const available: BackendName[] = [];
  for (const name of BACKEND_NAMES) {
    if (name === "snarkjs") continue;
    try {
      await (await createProver(name)).close();
      available.push(name);
    } catch (error) {
      if (!/^PRV_\w+_UNAVAILABLE$/.test((error as { code: string }).code)) throw error;
    }
  }
  return available;
}
