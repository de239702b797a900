/** Tests of build.js with a compiler that only notes what it is asked for: which units are compiled, and when again. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "build-"));
const log = join(folder, "log");

/**
 * Writes what it is asked for: a list of the unit and one header for make, an object, and for the probe a program that says which kernels
 * the processor has.
 */
const COMPILER = `#!/bin/sh
[ "$1" = --version ] && { echo "noting compiler 1.0"; exit; }
echo "$@" >> "$LOG"
previous=
for word; do
  case "$previous" in -o) out=$word ;; -MF) list=$word ;; -c) unit=$word ;; esac
  previous=$word
done
[ -n "$list" ] && printf 'out: %s \\\\\\n  %s\\n' "$unit" "$HEADER" > "$list"
printf '#!/bin/sh\\nprintf "avx512\\\\navx2\\\\n"\\n' > "$out"
chmod +x "$out"
`;

function build(...args: string[]) {
  writeFileSync(log, "");
  const header = join(folder, "prover/native/src/buffer.h");
  const output = execFileSync(process.execPath, [join(folder, "prover/native/build.js"), ...args], {
    encoding: "utf8",
    env: {
      ...process.env,
      CXX: join(folder, "compiler"),
      LOG: log,
      HEADER: header,
      NODE_INCLUDE_DIR: folder,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const calls = readFileSync(log, "utf8").trim().split("\n");
  const units = calls.flatMap((call) => / -c (\S+)/.exec(call)?.[1] ?? []).map((path) => basename(path));
  const flagsOf = (name: string) =>
    calls.filter((call) => call.includes(`/${name} -o`)).map((call) => call.match(/-DWITHOUT_\w+/g) ?? []);
  return { calls, output, units, flagsOf, linked: calls.filter((call) => call.includes("-shared")).length };
}

beforeAll(() => {
  for (const position of ["prover/native", "circuits/native", "models/engine/kernels/native"])
    cpSync(join(repositoryRoot, position), join(folder, position), {
      recursive: true,
      filter: (path) => basename(path) !== "build",
    });
  mkdirSync(join(folder, "node_modules/@openledger"), { recursive: true });
  symlinkSync(join(repositoryRoot, "foundation"), join(folder, "node_modules/@openledger/foundation"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(join(folder, "node_api.h"), "");
  writeFileSync(join(folder, "compiler"), COMPILER, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.arch === "x64")("building the native parts", () => {
  beforeEach(() => {
    for (const position of [
      "prover/native",
      "prover/native/steps",
      "circuits/native",
      "models/engine/kernels/native",
    ])
      rmSync(join(folder, position, "build"), { recursive: true, force: true });
  });

  it("compiles the fastest kernels that the processor has, and says which it left out", () => {
    const { flagsOf, linked, output, units } = build();
    expect(units).toEqual(
      expect.arrayContaining(["avx512.cpp", "avx2-lanes.cpp", "portable.cpp", "addon.cpp"]),
    );
    for (const other of [
      "ifma.cpp",
      "ifma-matrix.cpp",
      "ifma-steps.cpp",
      "ifma-lanes.cpp",
      "avx512-vnni.cpp",
    ])
      expect(units).not.toContain(other);
    // The prover's; among the models' kernels AVX-512 is faster.
    expect(units.filter((unit) => unit === "avx2.cpp")).toHaveLength(1);
    expect(flagsOf("choice.cpp")).toEqual([["-DWITHOUT_IFMA"]]);
    expect(flagsOf("sets.cpp")).toEqual([["-DWITHOUT_AVX512_VNNI", "-DWITHOUT_AVX2"]]);
    expect(linked).toBe(4);
    expect(output).toContain("kernels: avx512; left out, --all builds them: avx512-vnni, avx2");
  });

  it("compiles nothing where nothing has changed, and with --all what was left out", () => {
    const first = build();
    const again = build();
    expect(again).toMatchObject({ units: [], linked: 0 });
    expect(again.output.match(/is up to date/g)).toHaveLength(4);
    const all = build("--all");
    expect(all.units.filter((unit) => first.units.includes(unit)).sort()).toEqual(
      // Units that choose, two of them of one name; and the models' avx2.cpp, beside the prover's.
      ["avx2.cpp", "choice.cpp", "lanes.cpp", "lanes.cpp", "sets.cpp"],
    );
    expect(all.units).toEqual(expect.arrayContaining(["ifma.cpp", "ifma-steps.cpp", "avx512-vnni.cpp"]));
    expect(all.flagsOf("choice.cpp")).toEqual([[]]);
    expect(build("--all")).toMatchObject({ units: [], linked: 0 });
    // What is there stays.
    expect(build()).toMatchObject({ units: [], linked: 0 });
  });

  it("compiles what takes no time in a proof as one", () => {
    const { calls, units } = build();
    const glue = calls.filter((call) => call.includes("/zkey.cpp"));
    expect(glue).toHaveLength(1);
    for (const name of ["addon", "msm", "point-table", "proving-key"])
      expect(glue[0]).toContain(`-include ${join(folder, "prover/native/src", `${name}.cpp`)} `);
    expect(glue[0]).toContain(" -O1 ");
    expect(units.filter((unit) => unit === "zkey.cpp")).toHaveLength(1);
    expect(units).not.toContain("msm.cpp");
  });

  it("compiles a unit again where the file, or one that it includes, has another content", () => {
    const first = build();
    const unit = join(folder, "prover/native/src/glv.cpp");
    writeFileSync(unit, "");
    expect(build()).toMatchObject({ units: ["glv.cpp"], linked: 1 });
    writeFileSync(unit, "//");
    expect(build()).toMatchObject({ units: ["glv.cpp"], linked: 1 });
    rmSync(unit);
    expect(build()).toMatchObject({ units: [], linked: 1 });
    const header = join(folder, "prover/native/src/buffer.h");
    const text = readFileSync(header, "utf8");
    writeFileSync(header, text);
    expect(build()).toMatchObject({ units: [], linked: 0 });
    writeFileSync(header, `${text}//`);
    expect(build().units.sort()).toEqual(first.units.sort());
    writeFileSync(header, text);
  });
});
