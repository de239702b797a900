import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { modelError } from "../model-errors.ts";
import { suffixArray } from "./suffix-array.ts";

/** Both make the same array; native is several times as fast, and needs the addon. */
export type SuffixEngine = "native" | "typescript";

interface SuffixAddon {
  /** On another thread. The text must not change meanwhile; the array is that of the text's length. */
  sort(text: Uint8Array, array: Int32Array): Promise<void>;
}

/** Of the native engine, for estimates alone: `npm run bench -- spans`. */
const NATIVE_BYTES_PER_MS = 6_000;
const TELL_EVERY_MS = 500;

const addonPath = fileURLToPath(new URL("native/build/suffix-array.node", import.meta.url));

/**
 * @param engine "auto" takes native where it was built
 * @param onShare how much is done, 0 to 1: of the native engine an estimate
 * @throws MOD_ENGINE_UNAVAILABLE
 */
export async function buildSuffixArray(
  text: Uint8Array,
  engine: SuffixEngine | "auto",
  onShare: (share: number) => void = () => {},
): Promise<Int32Array> {
  if (suffixEngine(engine) === "typescript") return suffixArray(text, onShare);
  const array = new Int32Array(text.length);
  const startedAtMs = performance.now();
  const estimateMs = text.length / NATIVE_BYTES_PER_MS;
  const timer = setInterval(
    () => onShare(Math.min(0.99, (performance.now() - startedAtMs) / estimateMs)),
    TELL_EVERY_MS,
  );
  try {
    await loadAddon().sort(text, array);
  } finally {
    clearInterval(timer);
  }
  return array;
}

/** The engine that a choice comes to on this machine. */
export function suffixEngine(choice: SuffixEngine | "auto"): SuffixEngine {
  if (choice !== "auto") return choice;
  try {
    loadAddon();
    return "native";
  } catch {
    return "typescript";
  }
}

function loadAddon(): SuffixAddon {
  try {
    return createRequire(import.meta.url)(addonPath) as SuffixAddon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw modelError("MOD_ENGINE_UNAVAILABLE", `the native suffix arrays do not load (${reason})`, {
      data: { path: addonPath, reason },
      cause,
    });
  }
}
