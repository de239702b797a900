/** zod as the schemas of an HTTP application's routes: what comes in is parsed by them, and documented from them. */
import type { FastifyInstance, FastifySchema } from "fastify";
import { z } from "zod";

/** Which fields of a request are wrong, and how. */
interface RequestProblem {
  readonly reason: string;
  readonly data: { readonly fields: readonly string[] };
}

/** Parses bodies, queries and parameters by the routes' zod schemas; answers are plain JSON. @param refuse makes the error */
export function validateByZod(app: FastifyInstance, refuse: (problem: RequestProblem) => Error): void {
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const fields = result.error.issues.slice(0, 20).map((issue) => issue.path.join("."));
    return { error: refuse({ reason: z.prettifyError(result.error).slice(0, 1_000), data: { fields } }) };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** zod schemas as JSON schema, in their form before parsing. */
export function documentedSchema(schema: FastifySchema | undefined): FastifySchema {
  const plain = { ...schema } as Record<string, unknown>;
  for (const part of ["body", "querystring", "params"]) {
    const value = plain[part];
    if (value instanceof z.ZodType) {
      const { $schema, ...json } = z.toJSONSchema(value, { io: "input", unrepresentable: "any" });
      plain[part] = json;
    }
  }
  return plain as FastifySchema;
}
