import { type Command, InvalidArgumentError } from "commander";
import { FOLDER_OPTION, OUT_FILE_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { required, withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addCertifyCommands(parent: Command): void {
  const certify = withOptions(
    parent
      .command("certify <model> <epoch> <row>")
      .description("write a certificate of what a row earned, which anyone checks without the model"),
    {
      ...required(OUT_FILE_OPTION),
      "--max-kilobytes <n>": {
        about: "most kilobytes; draws that paid the row least are left out",
        fallback: 50,
        parse: parseKilobytes,
      },
      ...STORE_OPTION,
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
      ...CIRCUITS_OPTION,
    },
  );
  withExample(certify, "rewards certify 15 1 17 --out row.cert");
  onRun(certify, async (context) => {
    // Loaded here: they would make every other command slower.
    const { writeCertificate } = await import("./certify.ts");
    await writeCertificate(context);
  });
  const check = withOptions(
    parent
      .command("check-certificate <file>")
      .description("check a certificate of a row's earnings against L1, without a model or a sequencer"),
    {},
  );
  withExample(check, "rewards check-certificate row.cert --rpc https://… --rollup 0x…");
  onRun(check, async (context) => {
    const { checkCertificateFile } = await import("./certify.ts");
    await checkCertificateFile(context);
  });
}

function parseKilobytes(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("not a number from 1 to 999");
  return Number(text);
}
