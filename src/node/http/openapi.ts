/**
 * The description of the API (OpenAPI 3.1), made of the routes' own schemas; a schema with a name is told once, below components.
 * @module
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { Problem } from '../../contract/index.ts';

/** Options for the generator. */
export function apiDescription(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Starling',
        version,
        description:
          'The API of a Starling node. Send the token ("starling token") as a bearer, or as the password of the user "starling". Errors are problem details (RFC 9457); state is pushed by /api/v1/events.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
        },
      },
      security: [{ bearer: [] }, { basic: [] }],
    },
    // A schema within another one is told by its name, too.
    refResolver: {
      buildLocalReference: ({ $id }, _baseUri, _fragment, index) =>
        typeof $id === 'string' ? $id : `def-${index}`,
    },
    transformObject: (documentObject) => {
      if (!('openapiObject' in documentObject)) return documentObject.swaggerObject;
      return withComponents(documentObject.openapiObject as Json);
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a document is JSON.
type Json = any;

function withComponents(document: Json): Json {
  const schemas: Record<string, Json> = {};
  const walk = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const { $id, ...rest } = value;
    const inner = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, walk(each)]));
    if (typeof $id !== 'string') return inner;
    schemas[$id] = inner;
    return { $ref: `#/components/schemas/${$id}` };
  };
  for (const [name, schema] of Object.entries<Json>(document.components?.schemas ?? {})) {
    const { $id: _, ...rest } = schema;
    schemas[name] = walk(rest);
  }
  const paths = walk(document.paths);
  const problem = walk(Problem);
  for (const operations of Object.values<Json>(paths)) {
    for (const operation of Object.values<Json>(operations)) {
      operation.responses ??= {};
      operation.responses.default = {
        description: 'What is wrong, and what to do',
        content: { 'application/problem+json': { schema: problem } },
      };
    }
  }
  return { ...document, paths, components: { ...document.components, schemas } };
}
