-- What one database of Switchyard holds before its first migration: extensions, and what the
-- application's role may do with everything that the owner will create. Read by roles.sql.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

ALTER DEFAULT PRIVILEGES FOR ROLE switchyard_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO switchyard_app;
ALTER DEFAULT PRIVILEGES FOR ROLE switchyard_owner
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO switchyard_app;
ALTER DEFAULT PRIVILEGES FOR ROLE switchyard_owner
    GRANT EXECUTE ON FUNCTIONS TO switchyard_app;
ALTER DEFAULT PRIVILEGES FOR ROLE switchyard_owner
    GRANT USAGE ON SCHEMAS TO switchyard_app;
