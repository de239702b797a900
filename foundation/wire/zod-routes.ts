/**
 * Routes of an HTTP application by zod schemas: inputs are parsed by them, and the reference page is made of
 * them. All servers register their routes with `routesOf`.
 */
import type {
  FastifyInstance,
  FastifySchema,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteHandlerMethod,
  RouteShorthandOptions,
} from "fastify";
import { z } from "zod";

/** Invalid fields of a request, and their faults. */
interface RequestProblem {
  readonly reason: string;
  readonly data: { readonly fields: readonly string[] };
}

/**
 * Parses bodies, queries and parameters by the routes' zod schemas; answers are plain JSON.
 * @param refuse makes the error
 */
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

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown;
type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Inputs of a route, and its text in the reference. */
interface RouteSpec<Params, Query, Body>
  extends Pick<RouteShorthandOptions, "bodyLimit" | "config" | "onRequest"> {
  readonly tag?: string;
  readonly summary?: string;
  readonly hide?: boolean;
  readonly params?: Params;
  readonly querystring?: Query;
  readonly body?: Body;
  readonly consumes?: readonly string[];
  readonly security?: readonly object[];
}

/** Routes of an application. Handlers get the request as the routes' zod schemas parse it. */
export const routesOf =
  (app: FastifyInstance) =>
  <Params = undefined, Query = undefined, Body = undefined>(
    route: `${Method} ${string}`,
    { bodyLimit, config, onRequest, tag, ...schema }: RouteSpec<Params, Query, Body>,
    handler: RouteHandlerMethod<
      RawServerDefault,
      RawRequestDefaultExpression,
      RawReplyDefaultExpression,
      { Params: Output<Params>; Querystring: Output<Query>; Body: Output<Body> }
    >,
  ): void => {
    const [method, url] = route.split(" ") as [Method, string];
    const input = Object.entries({ bodyLimit, config, onRequest }).filter(([, value]) => value !== undefined);
    const documented = { ...(tag === undefined ? {} : { tags: [tag] }), ...schema } as FastifySchema;
    app.route<{ Params: Output<Params>; Querystring: Output<Query>; Body: Output<Body> }>({
      method,
      url,
      handler,
      schema: documented,
      ...Object.fromEntries(input),
    });
  };
