//! The same tests on every store.

/// Makes a test of each function, once on the embedded store and once on Redis, by the suite's `stage::Stage`.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::stage::Stage::embedded()).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::stage::Stage::redis().await).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;

/// The same, and one test of all functions in a cluster.
macro_rules! on_all_stores {
    ($($name:ident)*) => {
        $crate::support::stores::on_both_stores! { $($name)* }
        mod cluster {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn all_in_turn() {
                let cluster = $crate::support::redis::RedisCluster::start().await;
                $(
                    println!("{}", stringify!($name));
                    super::$name($crate::stage::Stage::cluster(&cluster).await).await;
                )*
            }
        }
    };
}
pub(crate) use on_all_stores;
