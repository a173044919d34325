use cache_runtime::write_behind;

#[derive(serde::Serialize, serde::Deserialize)]
struct View {
    page: String,
    seconds: f64,
}

#[write_behind(queue = "views", key = "<view.pages>")]
async fn save_views(views: Vec<View>) {
    let _ = views;
}

#[write_behind(queue = "seconds", key = "<view.seconds>")]
async fn save_seconds(views: Vec<View>) {
    let _ = views;
}

fn main() {}
