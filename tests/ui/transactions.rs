//! A connection that may be in a transaction sees what others do not.

#![allow(unused_variables)]

use std::sync::Arc;

use cache_runtime::{cached, invalidates, write_behind, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

struct Transaction<'a>(&'a Pool);

struct PgConnection;

#[cached(key = "user:<id>", ttl = 60)]
async fn by_transaction(tx: &mut Transaction<'_>, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_connection(db: &mut PgConnection, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(id))]
async fn rename_in_transaction(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    todo!()
}

#[write_behind(queue = "rows")]
async fn save_in_transaction(tx: &mut Transaction<'_>, rows: Vec<String>) -> Result<(), String> {
    let _ = (tx, rows);
    Ok(())
}

trait Executor<'e> {}

trait SqliteExecutor<'e>: Executor<'e> {}

trait Acquire<'a> {}

trait ConnectionTrait {}

trait TransactionTrait {}

trait GenericClient {}

trait AsyncConnection {}

struct AsyncPgConnection;

struct NewTransaction {
    account: i64,
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_impl(db: impl Executor<'_>, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_bound<'e, E: SqliteExecutor<'e>>(db: E, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_clause<'a, A>(db: A, id: i64) -> String
where
    A: Acquire<'a>,
{
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_clause_on_references<E>(db: &E, id: i64) -> String
where
    for<'e> &'e E: Executor<'e>,
{
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_reference<C: ConnectionTrait>(db: &C, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_reference_to_impl(db: &(impl ConnectionTrait + TransactionTrait), id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn by_object(db: &dyn GenericClient, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn of_diesel(
    db: &mut impl AsyncConnection,
    other: &mut AsyncPgConnection,
    id: i64,
) -> String {
    todo!()
}

#[cached(key = "fee", ttl = 60)]
async fn a_payment(payment: &NewTransaction) -> i64 {
    todo!()
}

// The word is about connections: what else there is has to be in the key.
#[cached(key = "fee", ttl = 60, pooled)]
async fn a_payment_that_is_left_out(
    payment: &NewTransaction,
    pair: (&mut AsyncPgConnection, i64),
    (db, tenant): (&mut AsyncPgConnection, i64),
) -> i64 {
    todo!()
}

#[invalidates(by_object(id))]
async fn write(db: &impl ConnectionTrait, id: i64) -> Result<(), String> {
    todo!()
}

#[invalidates(by_object(id))]
async fn pay(db: &mut AsyncPgConnection, payment: NewTransaction, id: i64) -> Result<(), String> {
    todo!()
}

#[invalidates(by_object(id), pooled, in_transaction)]
async fn both(db: &impl ConnectionTrait, id: i64) -> Result<(), String> {
    todo!()
}

#[write_through(by_object(id))]
async fn store<E>(db: E, id: i64) -> Result<String, String>
where
    E: for<'e> Executor<'e>,
{
    todo!()
}

#[write_behind(queue = "rows")]
async fn save_rows(db: Arc<dyn ConnectionTrait>, payment: NewTransaction, rows: Vec<String>) {}

fn main() {}
