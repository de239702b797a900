/** Field arithmetic of tests: in C++ as in the product's processes, in WebAssembly where that is the subject. */
import { useNativeField } from "../field/poseidon.ts";
import { loadNativeField } from "../native/native-field.ts";

/** Folders whose subject is WebAssembly, and those of pages, which have nothing else. */
const OF_WEBASSEMBLY = /\/(web|client|circuits\/(field|wasm|native))\//;

let native: ReturnType<typeof loadNativeField> | undefined;

/** Chooses the arithmetic of a test file by its path. Without the addon, all run in WebAssembly. */
export function chooseTestField(testPath: string): void {
  if (native === undefined) native = loadNativeField();
  useNativeField(OF_WEBASSEMBLY.test(testPath) ? null : native);
}
