use cache_runtime::write_behind;

#[write_behind(queue = "a", version = "2")]
async fn text(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "b", version = -1)]
async fn negative(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "c", version = 2, version = 3)]
async fn twice(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "d", strict_values)]
async fn strict(items: Vec<u64>) {
    drop(items);
}

fn main() {}
