"""Posts live in the database `posts`, everything else in `default`."""


class PostsRouter:
    """Sends the model Post elsewhere."""

    def db_for_read(self, model, **_):
        return self.db_for_write(model)

    def db_for_write(self, model, **_):
        return "posts" if model._meta.model_name == "post" else "default"

    def allow_migrate(self, db, app_label, model_name=None, **_):
        return (db == "posts") == (model_name == "post") if app_label == "bazaar" else db == "default"
