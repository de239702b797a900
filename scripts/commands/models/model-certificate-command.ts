/** `openledger models certificate`: the certificate that a model was trained without a row that its contributor has withdrawn. */
import { writeFile } from "node:fs/promises";
import { counted } from "@openledger/foundation/counted";
import { OUT_FILE_OPTION } from "../../cli/common-options.ts";
import { openReader } from "../../cli/context.ts";
import { defineOptions, required } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { HOST_OPTION } from "../datanet/host-options.ts";

const ROW_OPTION = defineOptions({ "--row <digest>": "SHA-256 of the withdrawn row" });

export const addModelCertificateCommand = command({
  usage: "certificate <model>",
  about:
    "write the certificate that a model was trained without a withdrawn row, and who says that they recomputed it",
  options: { ...HOST_OPTION, ...required(ROW_OPTION), ...required(OUT_FILE_OPTION) },
  examples: ["models certificate 16 --row 5e88… --host http://127.0.0.1:8560 --out removal.json"],
  run: async ({ args, options, output }) => {
    const { certifyRemoval, encodeCertificate } = await import(
      "@openledger/client/datanets/removal-certificate"
    );
    const modelId = parseId(args[0]!);
    const client = await openReader(options);
    const { host: hostUrl, out, row } = options;
    output.progress("reading lists and records");
    const certificate = await certifyRemoval(client, { hostUrl, modelId, row });
    await writeFile(out, encodeCertificate(certificate));
    const { datanetId, recomputations, version } = certificate;
    output.answer(
      [
        `${out} shows that model ${modelId} was trained on version ${version.number} of Datanet ${datanetId}, without row ${row}`,
        `${counted(recomputations.length, "leaf says that it has", "leaves say that they have")} computed it again; check it: openledger verify certificate ${out}`,
      ],
      { modelId, datanetId, row, version: version.number, out },
    );
  },
});
