/**
 * Categories: names with a folder and limits of their own, which torrents may have.
 * @module
 */
import Type from 'typebox';
import { Category, Done } from '../../contract/index.ts';
import type { TopicSource } from '../daemon/feed.ts';
import type { NodeService } from '../daemon/service.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { CategoryRecord, CategoryTable } from '../store/category-table.ts';
import { expectAbsolute } from './addition.ts';

// Implementation limits
const MAX_CATEGORIES = 500;

const tags = ['torrents'];
const Name = Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }) });

/** The service. */
export class CategoryService implements NodeService {
  readonly name = 'categories';
  readonly #table: CategoryTable;
  readonly #onChange: (name: string) => void;
  readonly #known = new Map<string, CategoryRecord>();

  /** @param onChange a category's limits changed, or it is gone. */
  constructor(table: CategoryTable, onChange: (name: string) => void) {
    this.#table = table;
    this.#onChange = onChange;
  }

  async start(): Promise<void> {
    for (const record of await this.#table.all()) this.#known.set(record.name, record);
  }

  find(name: string | undefined): CategoryRecord | undefined {
    return name === undefined ? undefined : this.#known.get(name);
  }

  readonly topics: TopicSource = (name) =>
    name === 'categories'
      ? { name, rows: () => this.#rows().map((row) => [row.name, row] as const) }
      : undefined;

  routes(api: Api): void {
    api.get(
      '/categories',
      { schema: { tags, summary: 'All categories', response: { 200: Type.Array(Category) } } },
      () => this.#rows(),
    );
    api.put(
      '/categories/:name',
      {
        schema: {
          tags,
          summary: 'Add a category, or replace it',
          params: Name,
          body: Type.Partial(Category, { additionalProperties: false }),
          response: { 200: Category },
        },
      },
      async ({ params, body }) => {
        const { dir } = body;
        if (typeof dir === 'string') expectAbsolute(dir);
        if (!this.#known.has(params.name) && this.#known.size >= MAX_CATEGORIES) {
          throw apiError('ERR_API_TOO_MANY', { what: 'categories', most: MAX_CATEGORIES });
        }
        const { name: _, dir: __, ...limits } = body;
        const record: CategoryRecord = { name: params.name, dir: dir ?? undefined, limits };
        await this.#table.set(record);
        this.#known.set(record.name, record);
        this.#onChange(record.name);
        return rowOf(record);
      },
    );
    api.delete(
      '/categories/:name',
      {
        schema: { tags, summary: 'Remove a category', params: Name, response: { 200: Done } },
      },
      async ({ params }) => {
        if (!this.#known.has(params.name)) {
          const hint = 'GET /api/v1/categories lists all';
          throw apiError('ERR_API_NOT_FOUND', { what: `category "${params.name}"`, hint });
        }
        await this.#table.remove(params.name);
        this.#known.delete(params.name);
        this.#onChange(params.name);
        return { ok: true as const };
      },
    );
  }

  #rows(): Category[] {
    return [...this.#known.values()].map(rowOf);
  }
}

function rowOf({ name, dir, limits }: CategoryRecord): Category {
  return { name, dir: dir ?? null, ...limits } as Category;
}
