import {
  PostgresDialect,
  PostgresQueryCompiler,
  type DataTypeNode,
  type PostgresPool,
  type QueryCompiler,
} from 'kysely';

/**
 * Columns as they are on SQLite: text in the order of its bytes, whatever the database's language sorts by;
 * whole numbers and fractions of 64 bits.
 */
const COLUMN_TYPES: { readonly [type: string]: string } = {
  text: 'text collate "C"',
  integer: 'bigint',
  real: 'double precision',
};

/** Migrations are written once; what their types are called here is said in this one place. */
class ColumnTypes extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    const type = typeof node.dataType === 'string' ? COLUMN_TYPES[node.dataType] : undefined;
    if (type === undefined) super.visitDataType(node);
    else this.append(type);
  }
}

/** Kysely's own dialect with the store's column types. */
export class StoreDialect extends PostgresDialect {
  constructor(pool: PostgresPool) {
    super({ pool });
  }

  override createQueryCompiler(): QueryCompiler {
    return new ColumnTypes();
  }
}
