-- The two roles and the database of Switchyard, for psql as a superuser:
--
--   export SWITCHYARD_OWNER_PASSWORD=… SWITCHYARD_APP_PASSWORD=…
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f config/sql/roles.sql
--
-- switchyard_owner migrates and owns the schema. switchyard_app runs: it reads and writes rows, and
-- may neither truncate nor alter. Running the file again changes nothing but the passwords.

\set ON_ERROR_STOP on
\getenv owner_password SWITCHYARD_OWNER_PASSWORD
\getenv app_password SWITCHYARD_APP_PASSWORD

SELECT 'CREATE ROLE switchyard_owner LOGIN CREATEDB'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'switchyard_owner') \gexec
SELECT 'CREATE ROLE switchyard_app LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'switchyard_app') \gexec

ALTER ROLE switchyard_owner PASSWORD :'owner_password';
ALTER ROLE switchyard_app PASSWORD :'app_password';

-- On the roles and not in the connection, so that a pooler may refuse start-up options.
ALTER ROLE switchyard_owner SET timezone = 'UTC';
ALTER ROLE switchyard_owner SET lock_timeout = '5s';
ALTER ROLE switchyard_owner SET idle_in_transaction_session_timeout = '10min';
ALTER ROLE switchyard_app SET timezone = 'UTC';
ALTER ROLE switchyard_app SET lock_timeout = '5s';
ALTER ROLE switchyard_app SET statement_timeout = '60s';
ALTER ROLE switchyard_app SET idle_in_transaction_session_timeout = '60s';

SELECT 'CREATE DATABASE switchyard OWNER switchyard_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'switchyard') \gexec

\connect switchyard
\ir database/privileges.sql
