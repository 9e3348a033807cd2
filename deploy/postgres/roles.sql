-- The roles of Pawsort in PostgreSQL. psql runs this as a superuser in Pawsort's database; repeating it is harmless.
--
--   pawsort_owner        owns the tables: `pawsort migrate`
--   pawsort_runtime      reads and writes rows, but only appends to the audit log: web and workers
--   pawsort_maintenance  may delete from the audit log as well: the maintenance worker
--
-- None of them is a superuser, so that no statement can run programs or read files of the server.
-- The privileges on tables are granted by migrations/privileges.py, the timeouts are those of core/base/database.py.

\set ON_ERROR_STOP on
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv runtime_password POSTGRES_RUNTIME_PASSWORD
\getenv maintenance_password POSTGRES_MAINTENANCE_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['pawsort_owner', 'pawsort_runtime', 'pawsort_maintenance']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE pawsort_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'owner_password';
ALTER ROLE pawsort_runtime LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'runtime_password';
ALTER ROLE pawsort_maintenance LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'maintenance_password';

SELECT format('ALTER ROLE %I IN DATABASE %I SET %s', name, current_database(), setting)
FROM unnest(ARRAY['pawsort_owner', 'pawsort_runtime', 'pawsort_maintenance']) AS name,
  unnest(ARRAY['lock_timeout = ''30s''', 'statement_timeout = ''120s''', 'idle_in_transaction_session_timeout = ''60s'''])
    AS setting \gexec

-- What an earlier version made belongs to its superuser.
SELECT format('ALTER DATABASE %I OWNER TO pawsort_owner', current_database()) \gexec
SELECT format('ALTER TABLE %I.%I OWNER TO pawsort_owner', schemaname, tablename)
FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'pawsort_owner' \gexec

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pawsort_runtime, pawsort_maintenance;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO pawsort_runtime, pawsort_maintenance', current_database()) \gexec
