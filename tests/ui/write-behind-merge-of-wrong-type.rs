use cache_runtime::write_behind;

#[derive(serde::Serialize, serde::Deserialize)]
struct View {
    page: String,
    count: u64,
}

impl View {
    fn add(self, other: &Self) -> Self {
        Self { count: self.count + other.count, ..self }
    }
}

#[write_behind(queue = "views", key = "<view.page>", merge = View::add)]
async fn save_views(views: Vec<View>) {
    let _ = views;
}

fn main() {}
