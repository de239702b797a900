/** Schema of a signed operation as JSON: POST /v1/operations takes it, and payments of x402 carry it. */
import { z } from "zod";
import { count, element, signature, wei } from "./wire-fields.ts";

/** 40-bit integers: a number, or its decimal digits. */
const integer = z.union([count, z.string().regex(/^[0-9]{1,20}$/)]).transform(BigInt);

export const operationBody = z
  .object({
    kind: z
      .string()
      .max(40)
      .meta({ description: "name of the kind", examples: ["transfer"] }),
    a: count.meta({ description: "id of the leaf that signs" }),
    b: count.meta({ description: "id of the leaf that is acted on; 0 for Create kinds and where unused" }),
    amountCode: integer.meta({ description: "40-bit decimal float of wei; CommitData: the row count" }),
    words: z.array(element).max(16),
    nonce: integer,
    maxFeePerUnitWei: wei,
    signature,
  })
  .strict();
