-- Say which schema the tables have.
create table alembic_version (version_num varchar(32) not null primary key);

insert into alembic_version values ($version);
